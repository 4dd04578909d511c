// The conformance vectors of W3C Trace Context Level 2, and some of ours.
#include "agent/trace/context/context_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace exa {
namespace {

const ContextHeaders kW3c({Propagator::kW3c});

const std::string kTrace = "12345678901234567890123456789012";
const std::string kParent = "1234567890123456";

std::string traceparent(const std::string& version, const std::string& trace,
                        const std::string& parent, const std::string& flags) {
  return version + "-" + trace + "-" + parent + "-" + flags;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

ContextReader read(const Headers& headers) {
  ContextReader reader(kW3c);
  for (const auto& [name, value] : headers)
    reader.on_header(name, value);
  return reader;
}

struct Vector {
  const char* what;
  Headers headers;
};

class Accepted : public ::testing::TestWithParam<Vector> {};
class Rejected : public ::testing::TestWithParam<Vector> {};
class Ignored : public ::testing::TestWithParam<Vector> {};

TEST_P(Accepted, GivesTheIds) {
  const auto reader = read(GetParam().headers);
  ASSERT_EQ(reader.state(), ContextState::kValid);
  EXPECT_EQ(to_hex(reader.context()->trace_id), kTrace);
  EXPECT_EQ(to_hex(reader.context()->parent), kParent);
}

TEST_P(Rejected, GivesNothing) {
  auto headers = GetParam().headers;
  headers.emplace_back("tracestate", "ot=rv:00000000000001");
  const auto reader = read(headers);
  EXPECT_EQ(reader.state(), ContextState::kInvalid);
  EXPECT_FALSE(reader.context());
  EXPECT_FALSE(reader.randomness()) << "an invalid traceparent forbids reading tracestate";
}

TEST_P(Ignored, IsNoTraceparent) {
  const auto reader = read(GetParam().headers);
  EXPECT_EQ(reader.state(), ContextState::kAbsent);
  EXPECT_FALSE(reader.context());
}

Headers one(const std::string& value) {
  return {{"traceparent", value}};
}
Headers whole(const std::string& name) {
  return {{name, traceparent("00", kTrace, kParent, "01")}};
}
Headers with(const std::string& version, const std::string& trace, const std::string& parent,
             const std::string& flags) {
  return one(traceparent(version, trace, parent, flags));
}

const std::string kGood = traceparent("00", kTrace, kParent, "01");
const std::string kFuture = traceparent("cc", kTrace, kParent, "01");

INSTANTIATE_TEST_SUITE_P(
    W3c, Accepted,
    ::testing::Values(
        Vector{"plain", one(kGood)}, Vector{"TraceParent", whole("TraceParent")},
        Vector{"TRACEPARENT", whole("TRACEPARENT")},
        Vector{"flags 00", with("00", kTrace, kParent, "00")},
        Vector{"flags 02", with("00", kTrace, kParent, "02")},
        Vector{"flags 03", with("00", kTrace, kParent, "03")},
        Vector{"flags ff", with("00", kTrace, kParent, "ff")}, Vector{"higher", one(kFuture)},
        Vector{"future", one(kFuture + "-what-the-future-will-be-like")},
        Vector{"leading space", one(" " + kGood)}, Vector{"leading tab", one("\t" + kGood)},
        Vector{"trailing space", one(kGood + " ")}, Vector{"trailing tab", one(kGood + "\t")},
        Vector{"both", one("\t " + kGood + " \t")}));

INSTANTIATE_TEST_SUITE_P(
    W3c, Rejected,
    ::testing::Values(
        Vector{"trailing dot", one(kGood + ".")},
        Vector{"version 00 with more", one(kGood + "-what-the-future-will-be-like")},
        Vector{"future without dash", one(kFuture + ".what")},
        Vector{"version ff", with("ff", kTrace, kParent, "01")},
        Vector{"version .0", with(".0", kTrace, kParent, "01")},
        Vector{"version 0.", with("0.", kTrace, kParent, "01")},
        Vector{"version 000", with("000", kTrace, kParent, "01")},
        Vector{"version 0000", with("0000", kTrace, kParent, "01")},
        Vector{"version 0", with("0", kTrace, kParent, "01")},
        Vector{"trace zero", with("00", std::string(32, '0'), kParent, "01")},
        Vector{"trace 31", with("00", kTrace.substr(1), kParent, "01")},
        Vector{"trace 33", with("00", kTrace + "3", kParent, "01")},
        Vector{"trace dot first", with("00", "." + kTrace.substr(1), kParent, "01")},
        Vector{"trace dot last", with("00", kTrace.substr(1) + ".", kParent, "01")},
        Vector{"parent zero", with("00", kTrace, std::string(16, '0'), "01")},
        Vector{"parent 15", with("00", kTrace, kParent.substr(1), "01")},
        Vector{"parent 17", with("00", kTrace, kParent + "7", "01")},
        Vector{"parent dot first", with("00", kTrace, "." + kParent.substr(1), "01")},
        Vector{"parent dot last", with("00", kTrace, kParent.substr(1) + ".", "01")},
        Vector{"flags .0", with("00", kTrace, kParent, ".0")},
        Vector{"flags 0.", with("00", kTrace, kParent, "0.")},
        Vector{"flags 001", with("00", kTrace, kParent, "001")},
        Vector{"flags 1", with("00", kTrace, kParent, "1")},
        Vector{"two", {{"traceparent", kGood}, {"traceparent", kGood}}},
        Vector{"two names", {{"traceparent", kGood}, {"TraceParent", kFuture}}},
        Vector{"three", {{"traceparent", kGood}, {"traceparent", kGood}, {"traceparent", kGood}}},
        Vector{"empty", one("")},
        // Ours.
        Vector{"upper-case trace", with("00", "ABCDEF78901234567890123456789012", kParent, "01")},
        Vector{"upper-case parent", with("00", kTrace, "ABCDEF7890123456", "01")},
        Vector{"upper-case flags", with("00", kTrace, kParent, "0A")},
        Vector{"NUL inside", with("00", std::string("1\0", 2) + kTrace.substr(2), kParent, "01")},
        Vector{"NUL behind", one(kGood + std::string(1, '\0'))},
        Vector{"cut", one(kGood.substr(0, 54))}, Vector{"a comma", one(kGood + "," + kGood)},
        Vector{"high bytes", with("00", "\xff\xfe" + kTrace.substr(2), kParent, "01")}));

INSTANTIATE_TEST_SUITE_P(W3c, Ignored,
                         ::testing::Values(Vector{"dash", whole("trace-parent")},
                                           Vector{"dot", whole("trace.parent")},
                                           Vector{"longer", whole("traceparents")},
                                           Vector{"none", {}}));

TEST(Traceparent, GivesTheFlags) {
  EXPECT_EQ(parse_traceparent(traceparent("00", kTrace, kParent, "03"))->flags, 3);
  EXPECT_EQ(parse_traceparent(traceparent("00", kTrace, kParent, "ff"))->flags, 0xff);
}

TEST(ContextReader, AFoldedTraceparentIsUnknown) {
  ContextReader reader(kW3c);
  EXPECT_TRUE(reader.on_folded_header("traceparent"));
  EXPECT_EQ(reader.state(), ContextState::kInvalid);
  EXPECT_FALSE(reader.on_folded_header("accept"));
}

// tracestate headers beside a good traceparent.
ContextReader with_states(const std::vector<std::string>& states) {
  Headers headers = one(kGood);
  for (const auto& state : states)
    headers.emplace_back("tracestate", state);
  return read(headers);
}

std::string members(int count) {
  std::string state;
  for (int i = 0; i < count; ++i)
    state += (i ? ",bar" : "bar") + std::to_string(i) + "=1";
  return state;
}

TEST(Tracestate, IsKept) {
  const std::vector<std::vector<std::string>> kept = {
      {"foo=1 \t , \t bar=2, \t baz=3"},
      {"foo=1,bar=2"},
      {"", "foo=1"},
      {"foo=1", ""},
      {"foo=1", "bar=2", "baz=3"},
      {"foo=1,foo=1"},
      {"foo=1,foo=2"},
      {"foo=1", "foo=2"},
      {members(32)},
      {members(16), members(16)},
      {"foo=1,,,,bar=2"},
      {std::string(256, 'z') + "=1"},
      {"foo@=1,bar=2"},
      {"foo@bar=1,bar=2"},
      {"t-1_*/@x=1"},
      {"0foo=1"},
      {"foo=" + std::string(256, 'v')},
      {"foo=a b"},
  };
  for (const auto& states : kept)
    EXPECT_TRUE(with_states(states).tracestate_kept()) << states[0];
}

TEST(Tracestate, IsDroppedWhole) {
  const std::vector<std::vector<std::string>> dropped = {
      {"foo =1"},
      {"FOO=1"},
      {"foo.bar=1"},
      {"@foo=1,bar=2"},
      {members(33)},
      {members(20), members(13)},
      {std::string(257, 'z') + "=1"},
      {"foo=" + std::string(257, 'v')},
      {"foo=bar=baz"},
      {"foo=,bar=3"},
      {"foo"},
      {"=1"},
      {"foo=1", "Bad=1"},
      {"foo=\x7f"},
      {std::string("foo=a\0b", 7)},
      {"foo=\xc3\xa9"},
  };
  for (const auto& states : dropped) {
    auto with_randomness = states;
    with_randomness.insert(with_randomness.begin(), "ot=rv:00000000000001");
    const auto reader = with_states(with_randomness);
    EXPECT_FALSE(reader.tracestate_kept()) << states[0];
    EXPECT_FALSE(reader.randomness()) << states[0];
    EXPECT_TRUE(reader.context()) << "the traceparent is still good";
  }
}

TEST(Tracestate, RandomnessIsFourteenLowerHexDigits) {
  EXPECT_EQ(with_states({"ot=rv:0123456789abcd"}).randomness(), 0x0123456789abcdu);
  EXPECT_EQ(with_states({"a=1,ot=th:8;rv:ffffffffffffff;x:1"}).randomness(), 0xffffffffffffffu);
  EXPECT_EQ(with_states({"a=1", "ot=rv:00000000000000"}).randomness(), 0u);
  EXPECT_FALSE(with_states({"ot=rv:0123456789abc"}).randomness());
  EXPECT_FALSE(with_states({"ot=rv:0123456789abcde"}).randomness());
  EXPECT_FALSE(with_states({"ot=rv:0123456789ABCD"}).randomness());
  EXPECT_FALSE(with_states({"ot=th:8"}).randomness());
  EXPECT_FALSE(with_states({"other=rv:0123456789abcd"}).randomness());
}

TEST(Tracestate, MayComeBeforeTheTraceparent) {
  const auto reader = read({{"tracestate", "ot=rv:00000000000007"}, {"traceparent", kGood}});
  EXPECT_EQ(reader.randomness(), 7u);
}

}  // namespace
}  // namespace exa
