#include "agent/run/prober/share_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/commands/status/status_table.h"

namespace exa {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ShareReport, NamesWhoWasRefusedWhat) {
  ShareReport report;
  EXPECT_TRUE(report.note(SharedTable::kDataRing, 66, "flood", 1'000));
  EXPECT_TRUE(report.note(SharedTable::kConnections, 66, "flood", 20));
  EXPECT_FALSE(report.note(SharedTable::kConnections, 66, "flood", 20)) << "no news";
  EXPECT_FALSE(report.note(SharedTable::kTlsStreams, 66, "flood", 0));
  EXPECT_EQ(status_table(report.status("")).value(),
            "PID      EXECUTABLE                       LIBRARY        PROBES  TLS\n"
            "\n"
            "PID      COMMAND                          SHARE OF                  REFUSED\n"
            "66       flood                            data ring                    1000\n"
            "66       flood                            connections                    20\n");
}

TEST(ShareReport, StandsBesideTheStatusOfTls) {
  ShareReport report;
  report.note(SharedTable::kTlsStreams, 66, "a\x1b[2J\xff", 7);
  const auto text = report.status(
      R"({"processes":[{"pid":1,"executable":"x","tls":[{"path":"/a","library":"OpenSSL",)"
      R"("build_id":"","reason":"read","probes":9}]}]})");
  const auto table = status_table(text).value();
  EXPECT_THAT(table, HasSubstr("OpenSSL             9  read (/a)\n\nPID"));
  EXPECT_THAT(table, HasSubstr("TLS streams                     7\n"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ShareReport().status("{}"), R"({"over_share":[],"processes":[]})");
}

TEST(ShareReport, IsBounded) {
  ShareReport report;
  for (std::uint32_t process = 1; process <= 2 * ShareReport::kMost; ++process)
    report.note(SharedTable::kDataRing, process, "p", process);
  const auto text = report.status("");
  EXPECT_EQ(std::ranges::count(text, '{'), 1 + static_cast<std::ptrdiff_t>(ShareReport::kMost));
  EXPECT_THAT(text, HasSubstr("\"pid\":512,"));
  EXPECT_THAT(text, Not(HasSubstr("\"pid\":256,")));
}

}  // namespace
}  // namespace exa
