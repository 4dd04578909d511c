// What a proxy puts before the first request.
#include "agent/protocol/proxy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace exa {
namespace {

using namespace std::string_literals;

const auto kText = "PROXY TCP4 192.0.2.1 192.0.2.2 4242 80\r\n"s;
const auto kBinary = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x10\x92\0\x50"s;

TEST(ProxyHeader, HasALengthOfItsOwn) {
  EXPECT_EQ(proxy_header_bytes(kText + "GET / HTTP/1.1\r\n"), kText.size());
  EXPECT_EQ(proxy_header_bytes("PROXY UNKNOWN\r\nGET /"), 15u);
  EXPECT_EQ(proxy_header_bytes(kBinary + "GET / HTTP/1.1\r\n"), 28u);
  EXPECT_EQ(proxy_header_bytes(kText + kBinary + "GET /"), kText.size() + 28u) << "two proxies";
}

TEST(ProxyHeader, IsNothingElse) {
  EXPECT_EQ(proxy_header_bytes("GET / HTTP/1.1\r\n"), 0u);
  EXPECT_EQ(proxy_header_bytes("PROXY /cache HTTP/1.1\r\n"), 0u) << "a method of that name";
  EXPECT_EQ(proxy_header_bytes("\r\n\r\nGET / HTTP/1.1\r\n"), 0u);
  EXPECT_EQ(proxy_header_bytes("PROXY TCP4 " + std::string(200, 'x')), 0u) << "no end within 107";
  EXPECT_EQ(proxy_header_bytes(""), 0u);
}

TEST(ProxyHeader, TakesUpAllWhereItGoesOn) {
  for (std::size_t size = 12; size <= kBinary.size(); ++size)
    EXPECT_EQ(proxy_header_bytes(kBinary.substr(0, size)), size);
  EXPECT_EQ(proxy_header_bytes("PROXY TCP6 2001:db8::1"), 22u);
}

}  // namespace
}  // namespace exa
