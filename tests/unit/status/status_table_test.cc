#include "agent/commands/status/status_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace exa {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStatus =
    R"({"figures":{"looks":3},"processes":[{"pid":4711,"executable":"nginx","tls":[
        {"path":"/usr/lib/libssl.so.3","library":"OpenSSL","build_id":"ab","reason":"read","probes":9},
        {"path":"/usr/sbin/nginx","library":"","build_id":"","reason":"no TLS library","probes":0,"connections":2}]}]})";

TEST(StatusTable, HasALineForEachUse) {
  EXPECT_EQ(status_table(kStatus).value(),
            "PID      EXECUTABLE                       LIBRARY        PROBES  TLS\n"
            "4711     nginx                            OpenSSL             9  read "
            "(/usr/lib/libssl.so.3)\n"
            "4711     nginx                            -                   0  no TLS library: 2 "
            "connections (/usr/sbin/nginx)\n");
}

TEST(StatusTable, NothingInItMovesACursor) {
  // Control characters as JSON and as UTF-8 write them, the eight-bit ones (CSI is U+009B) too.
  const auto table = status_table(
      "{\"processes\":[{\"pid\":1,\"executable\":\"\\u001b[2Jx\",\"tls\":[{\"path\":\"/a\\nb\","
      "\"library\":\"\\u009b2J\",\"reason\":\"\\u0007\xc2\x9b\",\"probes\":1}]}]}");
  ASSERT_TRUE(table);
  EXPECT_EQ(std::ranges::count(*table, '\n'), 2);
  EXPECT_EQ(table->find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(table->find("\xc2\x9b"), std::string::npos);
}

TEST(StatusTable, AnyOtherJsonIsNoStatusAndEndsNothing) {
  for (const char* text :
       {"", "{", "[]", "null", "3", R"({"processes":3})", R"({"processes":{"tls":[]}})",
        R"({"processes":[1]})", R"({"processes":[{"pid":1}]})", R"({"processes":[{"tls":{}}]})"})
    EXPECT_FALSE(status_table(text)) << text;
  for (const char* text : {R"({"processes":[{"tls":[{}]}]})", R"({"processes":[{"tls":[7]}]})",
                           R"({"processes":[{"pid":-1,"executable":[],"tls":[{"path":null,
                              "library":7,"reason":{},"probes":"many"}]}]})"}) {
    const auto table = status_table(text);
    ASSERT_TRUE(table) << text;
    EXPECT_THAT(*table, HasSubstr("? (?)"));
  }
  EXPECT_FALSE(status_table(std::string(100'000, '['))) << "depth costs no stack";
}

}  // namespace
}  // namespace exa
