// Two threads use one TLS connection at once, as a server of Go does when it greets while it reads.
#include <atomic>
#include <thread>

#include "tests/bpf/tls_library.h"

namespace exa::test {
namespace {

using TlsRaces = TlsLibrary;

// One finds out that it is HTTP/2 while the other is looked at: each call has one outcome.
TEST_F(TlsRaces, ACallThatIsLookedAtWhileAnotherBeginsHttp2IsCountedOnce) {
  constexpr std::uint64_t kConnections = 10'000;
  constexpr std::string_view kSettings{"\0\0\0\4\0\0\0\0\0", 9};
  std::atomic<std::uint64_t> arrived{0};
  const auto write_on_each = [&](std::string_view text) {
    for (std::uint64_t connection = 1; connection <= kConnections; ++connection) {
      arrived.fetch_add(1);
      while (arrived.load() < 2 * connection) {
      }
      write(connection, text);
    }
  };
  std::thread greets(write_on_each, kSettings);
  write_on_each(kNoMessage);
  greets.join();
  EXPECT_EQ(count(EXA_COUNTER_TLS_HITS_WRITE), 2 * kConnections);
}

}  // namespace
}  // namespace exa::test
