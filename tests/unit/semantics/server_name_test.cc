// The name of the server in a client's request, against the rule written plainly.
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "agent/semantics/server_name.h"

namespace exa {
namespace {

struct Server {
  std::string name;
  std::uint16_t port;
  bool operator==(const Server&) const = default;
};

Server server_of(std::string_view authority) {
  Exchange exchange;
  exchange.remote.port = 7;
  exchange.host.assign(authority);
  ServerHost host;
  const auto port = name_server(exchange, host);
  return {std::string(host.view()), port};
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ||
         c == '~';
}

TEST(NameServer, KeepsTheNameInLowerCaseAndThePortItSays) {
  EXPECT_EQ(server_of("Shop.Example"), (Server{"shop.example", 7}));
  EXPECT_EQ(server_of("SHOP_1-a~b.Example:8443"), (Server{"shop_1-a~b.example", 8443}));
  EXPECT_EQ(server_of(""), (Server{"", 7}));
  EXPECT_EQ(server_of("[::1]:80"), (Server{"", 7}));
  for (std::size_t length = 1; length <= 45; ++length)
    EXPECT_EQ(server_of(std::string(length, 'Z')), (Server{std::string(length, 'z'), 7})) << length;
  EXPECT_EQ(server_of(std::string(46, 'z')), (Server{"", 7})) << "cut, so another name";
  for (std::size_t length = 1; length <= 42; ++length)
    EXPECT_EQ(server_of(std::string(length, 'Z') + ":80"), (Server{std::string(length, 'z'), 80}));
}

TEST(NameServer, KnowsEveryCharacterAtEveryPlace) {
  for (std::size_t at = 0; at < 45; ++at)
    for (int value = 0; value < 256; ++value) {
      const auto c = static_cast<char>(value);
      if (c == ':' || (at == 0 && c == '[')) continue;
      std::string authority(45, 'N');
      authority[at] = c;
      std::string name(45, 'n');
      name[at] = static_cast<char>(std::tolower(value));
      EXPECT_EQ(server_of(authority), (Server{is_name_character(c) ? name : "", 7}))
          << value << " at " << at;
    }
}

}  // namespace
}  // namespace exa
