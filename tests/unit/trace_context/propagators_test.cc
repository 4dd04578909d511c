// Which of several contexts counts, and that what is not asked for is not read.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/trace/context/context_reader.h"
#include "tests/support/all_propagators.h"

namespace exa {
namespace {

using namespace std::string_view_literals;
using Headers = std::vector<std::pair<std::string, std::string>>;

const Headers kW3c = {{"traceparent", "00-00000000000000000000000000000001-0000000000000001-03"},
                      {"tracestate", "ot=rv:0123456789abcd"}};
const Headers kB3 = {{"b3", "00000000000000000000000000000002-0000000000000002-1"}};
const Headers kB3Multi = {{"x-b3-traceid", "00000000000000000000000000000022"},
                          {"x-b3-spanid", "0000000000000022"}};
const Headers kJaeger = {{"uber-trace-id", "3:3:0:1"}};
const Headers kXray = {
    {"x-amzn-trace-id", "Root=1-00000000-000000000000000000000004;Parent=0000000000000004"}};
const Headers kDatadog = {{"x-datadog-trace-id", "5"}, {"x-datadog-parent-id", "5"}};

Headers together(std::initializer_list<Headers> parts) {
  Headers all;
  for (const auto& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

// The last digits of the trace id; 0: none.
int read(const PropagatorList& propagators, const Headers& headers) {
  const ContextHeaders table(propagators);
  ContextReader reader(table);
  for (const auto& [name, value] : headers)
    reader.on_header(name, value);
  const auto context = reader.context();
  return context ? context->trace_id.bytes.back() : 0;
}

TEST(Propagators, TheLastInTheListCounts) {
  const auto all = together({kDatadog, kXray, kJaeger, kB3Multi, kB3, kW3c});
  EXPECT_EQ(read(kAllPropagators, all), 1);
  EXPECT_EQ(read({Propagator::kW3c, Propagator::kDatadog}, all), 5);
  EXPECT_EQ(read({Propagator::kDatadog, Propagator::kXray}, all), 4);
  EXPECT_EQ(read({Propagator::kB3, Propagator::kJaeger}, all), 3);
  EXPECT_EQ(read({Propagator::kJaeger, Propagator::kB3}, all), 2) << "the single header";
  EXPECT_EQ(read({}, all), 0);
}

TEST(Propagators, WhatIsNotAskedForIsNotRead) {
  EXPECT_EQ(read({Propagator::kW3c}, together({kB3, kB3Multi, kJaeger, kXray, kDatadog})), 0);
  EXPECT_EQ(read({Propagator::kB3}, together({kW3c, kJaeger, kXray, kDatadog})), 0);
  const ContextHeaders w3c({Propagator::kW3c});
  EXPECT_FALSE(ContextReader(w3c).reads("b3"));
  EXPECT_FALSE(ContextReader().reads("traceparent"));
  EXPECT_TRUE(ContextReader(w3c).reads("TraceParent"));
}

TEST(Propagators, TheNextOneCountsWhereOneIsInvalid) {
  const Headers malformed = {{"traceparent", "00-1-1-01"}};
  EXPECT_EQ(read(kAllPropagators, together({malformed, kJaeger})), 3);
  EXPECT_EQ(read(kAllPropagators, together({kW3c, kW3c, kXray})), 4) << "two traceparents";
  EXPECT_EQ(read(kAllPropagators, together({kB3, kB3, kB3Multi, kXray})), 0x22);
  EXPECT_EQ(read(kAllPropagators, together({kJaeger, kJaeger, kDatadog})), 5);
}

TEST(Propagators, TheNextOneCountsWhereOneNamesNoCaller) {
  const Headers load_balancer = {{"x-amzn-trace-id", "Root=1-00000000-000000000000000000000004"}};
  EXPECT_EQ(read(kAllPropagators, together({{{"b3", "0"}}, load_balancer, kDatadog})), 5);
}

TEST(Propagators, AnInvalidOneShowsUnlessAnotherIsValid) {
  const ContextHeaders table(kAllPropagators);
  ContextReader reader(table);
  reader.on_header("b3", "0");
  EXPECT_EQ(reader.state(), ContextState::kAbsent);
  reader.on_header("uber-trace-id", "nonsense");
  EXPECT_EQ(reader.state(), ContextState::kInvalid);
  reader.on_unknown_value("x-amzn-trace-id");
  EXPECT_EQ(reader.state(), ContextState::kUnknown);
  reader.on_header("x-datadog-trace-id", "5");
  reader.on_header("x-datadog-parent-id", "5");
  EXPECT_EQ(reader.state(), ContextState::kUnknown) << "the one before may be valid";
  EXPECT_FALSE(reader.context());
  for (const auto& [name, value] : kW3c)
    reader.on_header(name, value);
  EXPECT_EQ(reader.state(), ContextState::kValid);
}

TEST(Propagators, TheStateBelongsToTheTraceparent) {
  const ContextHeaders table({Propagator::kW3c, Propagator::kB3});
  ContextReader reader(table);
  for (const auto& [name, value] : together({kW3c, kB3}))
    reader.on_header(name, value);
  EXPECT_EQ(reader.context()->trace_id.bytes.back(), 2);
  EXPECT_FALSE(reader.randomness());
  EXPECT_FALSE(reader.tracestate_kept());
}

TEST(Propagators, AFoldedHeaderSpoilsItsOwnContext) {
  const ContextHeaders table(kAllPropagators);
  ContextReader reader(table);
  EXPECT_TRUE(reader.on_folded_header("X-B3-Sampled"));
  for (const auto& [name, value] : kB3Multi)
    reader.on_header(name, value);
  EXPECT_EQ(reader.state(), ContextState::kInvalid);
  reader.on_header("uber-trace-id", "3:3:0:1");
  EXPECT_EQ(reader.context()->trace_id.bytes.back(), 3);
}

TEST(Propagators, AHalfThatMayBeMissingIsUnknown) {
  const ContextHeaders table(kAllPropagators);
  ContextReader reader(table);
  for (const auto& [name, value] : kDatadog)
    reader.on_header(name, value);
  reader.on_missing_headers();
  EXPECT_EQ(reader.state(), ContextState::kUnknown);
  reader.on_header("x-datadog-tags", "_dd.p.dm=-0");
  EXPECT_EQ(reader.state(), ContextState::kValid);
}

TEST(Propagators, EachStandsInTheListOnceWhereItCameLast) {
  PropagatorList list = {Propagator::kB3, Propagator::kW3c, Propagator::kB3};
  EXPECT_EQ(list, (PropagatorList{Propagator::kW3c, Propagator::kB3}));
  list.add(Propagator::kW3c);
  EXPECT_EQ(list.all().size(), 2u);
}

// Headers that are right but for a few characters, so that some still are.
class Garbage {
 public:
  explicit Garbage(unsigned seed) : random_(seed) {}

  std::pair<std::string, std::string> header() {
    static const Headers kGood =
        together({kW3c,
                  kB3,
                  kB3Multi,
                  kJaeger,
                  kXray,
                  kDatadog,
                  {{"b3", "d"},
                   {"x-b3-sampled", "true"},
                   {"x-b3-flags", "1"},
                   {"x-amzn-trace-id", "Root=1-00000000-000000000000000000000004"},
                   {"x-datadog-sampling-priority", "-1"},
                   {"x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=463ac35c9f6413ad"}}});
    auto [name, value] = kGood[number(kGood.size())];
    for (auto edits = number(4); edits > 0; --edits)
      edit(value);
    return {name, value};
  }
  std::size_t number(std::size_t below) { return random_() % below; }

 private:
  void edit(std::string& value) {
    static constexpr auto kCharacters = "0123456789abcdefAF-:;,=%? \0\xff"sv;
    const auto at = number(value.size() + 1);
    const auto character = kCharacters[number(kCharacters.size())];
    switch (number(3)) {
      case 0:
        value.insert(at, 1, character);
        break;
      case 1:
        value.erase(at, 1);
        break;
      default:
        if (at < value.size()) value[at] = character;
    }
  }

  std::mt19937 random_;
};

TEST(Propagators, OfGarbageNoIdIsZeroAndNoneDependsOnWhoElseIsRead) {
  const ContextHeaders all(kAllPropagators);
  int valid = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Garbage garbage(seed);
    ContextReader together(all);
    const ContextHeaders one({kAllPropagators.all()[seed % PropagatorList::kMost]});
    ContextReader alone(one);
    for (auto headers = garbage.number(8); headers > 0; --headers) {
      const auto [name, value] = garbage.header();
      switch (garbage.number(12)) {
        case 0:
          together.on_folded_header(name);
          alone.on_folded_header(name);
          break;
        case 1:
          together.on_unknown_value(name);
          alone.on_unknown_value(name);
          break;
        default:
          together.on_header(name, value);
          alone.on_header(name, value);
      }
    }
    if (together.state() != ContextState::kUnknown) {
      ASSERT_GE(together.state(), alone.state()) << seed;
    }
    ASSERT_EQ(together.context().has_value(), together.state() == ContextState::kValid) << seed;
    if (!together.context()) continue;
    ++valid;
    ASSERT_TRUE(together.context()->trace_id.valid()) << seed;
    ASSERT_TRUE(together.context()->parent.valid()) << seed;
  }
  EXPECT_GT(valid, 1'000) << "otherwise this says little";
}

}  // namespace
}  // namespace exa
