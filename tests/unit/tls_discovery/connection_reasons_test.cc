// What status tells of a process, from what was found in it and what the kernel counted.
#include "agent/discovery/tls/connection_reasons.h"

#include <gmock/gmock.h>

#include <tuple>

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Told = std::tuple<std::string, std::string, std::uint64_t>;  // path, reason, connections

const TlsUse kOpenSsl{.path = "/lib/libssl.so.3",
                      .library = "OpenSSL",
                      .build_id = "ab",
                      .reason = "TLS is read by probes",
                      .probes = 5};
const TlsUse kRustls{.path = "/srv/app.so",
                     .library = "",
                     .build_id = "",
                     .reason = std::string(sentence(TlsVerdict::kRustls))};

exa_connection_counts counts(
    std::initializer_list<std::pair<exa_connection_kind, unsigned>> kinds) {
  exa_connection_counts all{};
  for (const auto& [kind, connections] : kinds)
    all.connections[kind] = connections;
  return all;
}

std::vector<Told> told(std::vector<TlsUse> uses, const exa_connection_counts& counts) {
  std::vector<Told> all;
  for (const auto& use : told_uses(std::move(uses), "/srv/app", counts))
    all.emplace_back(use.path, use.reason, use.connections);
  return all;
}

TEST(ConnectionReasons, ALibraryIsReadOnceSomethingWentThroughIt) {
  EXPECT_THAT(
      told({kOpenSsl}, {}),
      ElementsAre(Told("/lib/libssl.so.3", "probed; nothing has passed through it yet", 0)));
  EXPECT_THAT(told({kOpenSsl}, counts({{EXA_KIND_TLS, 12}, {EXA_KIND_TLS_READ, 11}})),
              ElementsAre(Told("/lib/libssl.so.3", "TLS is read by probes", 11)));
}

TEST(ConnectionReasons, ALibraryThatIsOnlyLinkedIsNotReadWhateverElseIsSpoken) {
  EXPECT_THAT(told({kOpenSsl, kRustls}, counts({{EXA_KIND_TLS, 7}})),
              ElementsAre(Told("/lib/libssl.so.3",
                               "probed, but none of this process's TLS has passed through it", 0),
                          Told("/srv/app.so", kRustls.reason, 7)));
  EXPECT_THAT(told({kOpenSsl}, counts({{EXA_KIND_TLS, 7}})),
              ElementsAre(Told("/lib/libssl.so.3",
                               "probed, but none of this process's TLS has passed through it", 0),
                          Told("/srv/app", "TLS, in a library the agent does not know", 7)));
}

TEST(ConnectionReasons, OfTwoLibrariesEachHasItsOwn) {
  EXPECT_THAT(told({kOpenSsl, kRustls}, counts({{EXA_KIND_TLS, 9}, {EXA_KIND_TLS_READ, 2}})),
              ElementsAre(Told("/lib/libssl.so.3", "TLS is read by probes", 2),
                          Told("/srv/app.so", kRustls.reason, 7)));
}

TEST(ConnectionReasons, MoreReadThanBegunIsNothingUnread) {
  EXPECT_THAT(told({kRustls}, counts({{EXA_KIND_TLS, 1}, {EXA_KIND_TLS_READ, 3}})),
              ElementsAre(Told("/srv/app.so", kRustls.reason, 0)));
}

TEST(ConnectionReasons, WhatIsNotReadHasItsRowWithoutTlsToo) {
  EXPECT_THAT(told({}, {}), IsEmpty());
  EXPECT_THAT(told({}, counts({{EXA_KIND_HTTP2, 3}, {EXA_KIND_IO_URING, 1}})),
              ElementsAre(Told("/srv/app", "HTTP/2 in a tunnel is not parsed yet", 3),
                          Told("/srv/app", std::string(kind_sentence(EXA_KIND_IO_URING)), 1)));
}

TEST(ConnectionReasons, AProcessIsSearchedWhileNothingOfItsTlsIsRead) {
  EXPECT_FALSE(is_unread_tls({}));
  EXPECT_TRUE(is_unread_tls(counts({{EXA_KIND_TLS, 1}})));
  EXPECT_FALSE(is_unread_tls(counts({{EXA_KIND_TLS, 5}, {EXA_KIND_TLS_READ, 1}})));
}

}  // namespace
}  // namespace exa
