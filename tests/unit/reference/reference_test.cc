#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "agent/trace/span_synthesizer.h"
#include "exa/model/exchange.h"
#include "tests/unit/reference/reference.h"
#include "tests/unit/reference/reference_texts.h"
#include "tests/unit/reference/span_attributes.h"

namespace exa {
namespace {

// The file says what the tables say; with EXA_WRITE_REFERENCE set it is made to.
void expect_same(const std::string& name, const std::string& made) {
  const std::string path = std::string(EXA_SOURCE_DIR) + "/" + name;
  if (std::getenv("EXA_WRITE_REFERENCE") != nullptr) std::ofstream(path) << made;
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), made)
      << name
      << " does not say what the tables in the code do; run this with EXA_WRITE_REFERENCE=1";
}

TEST(Reference, SaysWhatTheTablesSay) {
  expect_same("agent/REFERENCE.md", testing::reference_page());
}
TEST(Reference, TheManualToo) {
  expect_same("scripts/packaging/exemplar-agent.8", testing::manual_page());
}
TEST(Reference, AndTheCompletion) {
  expect_same("scripts/packaging/exemplar-agent.bash", testing::bash_completion());
}

TEST(Reference, NamesTestsThatExist) {
  std::string sources;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(EXA_SOURCE_DIR) + "/tests/unit"))
    if (entry.path().extension() == ".cc") {
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      sources += text.str();
    }
  for (const auto& [option, test] : kOptionTests) {
    const auto dot = test.find('.');
    const auto head = std::string(test.substr(0, dot)) + ", " + std::string(test.substr(dot + 1));
    EXPECT_NE(sources.find("(" + head + ")"), std::string::npos) << option << ": " << test;
  }
}

Exchange exchange_of(Role role, std::uint16_t status) {
  Exchange exchange;
  exchange.role = role;
  exchange.operation.status = status;
  exchange.operation.method = Method::kGet;
  exchange.protocol_version = ProtocolVersion::k11;
  exchange.outcome = Outcome::kComplete;
  exchange.local = {.address = {10, 0, 0, 1}, .port = 80};
  exchange.remote = {.address = {10, 0, 0, 2}, .port = 4000};
  exchange.arrival = {1'000};
  exchange.read = {2'000};
  exchange.first_response = {3'000};
  exchange.last_response = {4'000};
  exchange.operation.name.assign("/users/4711");
  exchange.host.assign("shop.example");
  exchange.account = {
      .cpu_wait = Duration(300),
      .throttled = Duration(200),
      .on_cpu = Duration(700),
      .downstream = Duration(500),
      .asleep_us = {1, 1, 1, 1, 1, 1, 1, 1},
      .throttled_times = 1,
      .minor_faults = 1,
      .major_faults = 1,
      .shared_with = 1,
      .retransmits = 1,
      .out_of_order = 1,
      .receiver_limited_ms = 1,
      .before = {.connect_us = 1, .queued_cpu_wait_us = 1, .queued_other_work_us = 1},
      .thread_known = true,
      .cpu_wait_known = true,
      .throttle_known = true,
      .socket_known = true};
  return exchange;
}

TEST(Reference, EveryAttributeAndEventOfASpanIsInItAndNoOther) {
  std::set<std::string> listed;
#define EXA_X(key, type, of, sentence) listed.insert(key);
  EXA_SPAN_ATTRIBUTES(EXA_X)
#undef EXA_X
  std::set<std::string> events;
#define EXA_X(name, of, sentence) events.insert(name);
  EXA_SPAN_EVENTS(EXA_X)
#undef EXA_X
  std::set<std::string> made;
  std::set<std::string> happened;
  for (const auto role : {Role::kServer, Role::kClient})
    for (const std::uint16_t status : {200, 503, 13})
      for (const auto method : {Method::kGet, Method::kOther}) {
        auto exchange = exchange_of(role, status);
        exchange.operation.method = method;
        if (method == Method::kOther) {
          exchange.operation.method_original.assign("PURGE");
          exchange.outcome = Outcome::kUnknown;
        }
        if (status == 13) {  // of a call: UNIMPLEMENTED, so that its method is not named
          exchange.operation.convention = Convention::kRpc;
          exchange.operation.name.assign("/shop.Cart/Add");
        }
        static const std::string kRoute = "/users/{id}";
        if (status == 200) exchange.route = &kRoute;
        const auto span = synthesize_span(exchange,
                                          {.reason = ExemplarReason::kSlowest,
                                           .link = SpanLink::kContext,
                                           .delivery = {.sent_again = 1,
                                                        .sent_again_after = Duration(1),
                                                        .acknowledged_after = Duration(1)},
                                           .beside_sdk = true,
                                           .growth = "all"},
                                          nullptr, {});
        for (const auto& attribute : span.attributes)
          made.insert(attribute.key);
        for (const auto& event : span.events)
          happened.insert(event.name);
      }
  EXPECT_EQ(made, listed);
  EXPECT_EQ(happened, events);
}

}  // namespace
}  // namespace exa
