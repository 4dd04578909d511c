// What each format but W3C's says and refuses, header by header.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/trace/context/context_reader.h"
#include "tests/support/all_propagators.h"

namespace exa {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

const ContextHeaders kAll(kAllPropagators);

ContextReader read(const Headers& headers) {
  ContextReader reader(kAll);
  for (const auto& [name, value] : headers)
    EXPECT_TRUE(reader.on_header(name, value)) << name;
  return reader;
}

struct Context {
  const char* what;
  Headers headers;
  std::string trace;
  std::string parent;
  int flags;
};

struct NoContext {
  const char* what;
  Headers headers;
  ContextState state;
};

void PrintTo(const Context& vector, std::ostream* out) {
  *out << vector.what;
}
void PrintTo(const NoContext& vector, std::ostream* out) {
  *out << vector.what;
}

class Gives : public ::testing::TestWithParam<Context> {};
class GivesNone : public ::testing::TestWithParam<NoContext> {};

TEST_P(Gives, IdsAndFlags) {
  const auto reader = read(GetParam().headers);
  ASSERT_EQ(reader.state(), ContextState::kValid);
  EXPECT_EQ(to_hex(reader.context()->trace_id), GetParam().trace);
  EXPECT_EQ(to_hex(reader.context()->parent), GetParam().parent);
  EXPECT_EQ(reader.context()->flags, GetParam().flags);
  EXPECT_FALSE(reader.randomness());
}

TEST_P(GivesNone, OrIsInvalid) {
  const auto reader = read(GetParam().headers);
  EXPECT_EQ(reader.state(), GetParam().state);
  EXPECT_FALSE(reader.context());
}

constexpr auto kAbsent = ContextState::kAbsent;
constexpr auto kInvalid = ContextState::kInvalid;

const std::string kTrace = "463ac35c9f6413ad48485a3953bb6124";
const std::string kShort = "48485a3953bb6124";
const std::string kPadded = "0000000000000000" + kShort;
const std::string kSpan = "a2fb4a1d1a96d312";
const std::string kOther = "0020000000000001";
const std::string kZero16(16, '0');
const std::string kZero32(32, '0');

Headers b3(const std::string& value) {
  return {{"b3", value}};
}
Headers multi(const std::string& trace, const std::string& span, Headers more = {}) {
  more.emplace_back("X-B3-TraceId", trace);
  more.emplace_back("X-B3-SpanId", span);
  return more;
}

INSTANTIATE_TEST_SUITE_P(
    B3Single, Gives,
    ::testing::Values(Context{"deferred", b3(kTrace + "-" + kSpan), kTrace, kSpan, 0},
                      Context{"sampled", b3(kTrace + "-" + kSpan + "-1"), kTrace, kSpan, 1},
                      Context{"denied", b3(kTrace + "-" + kSpan + "-0"), kTrace, kSpan, 0},
                      Context{"debug", b3(kTrace + "-" + kSpan + "-d"), kTrace, kSpan, 1},
                      Context{"64 bits", b3(kShort + "-" + kSpan + "-1"), kPadded, kSpan, 1},
                      Context{"with its parent", b3(kTrace + "-" + kSpan + "-1-" + kOther), kTrace,
                              kSpan, 1},
                      Context{"name", {{"B3", kTrace + "-" + kSpan}}, kTrace, kSpan, 0},
                      Context{"blanks", b3(" " + kTrace + "-" + kSpan + "-1\t"), kTrace, kSpan, 1},
                      Context{"upper half zero", b3(kPadded + "-" + kSpan), kPadded, kSpan, 0}));

INSTANTIATE_TEST_SUITE_P(
    B3Single, GivesNone,
    ::testing::Values(
        NoContext{"0 alone", b3("0"), kAbsent}, NoContext{"1 alone", b3("1"), kAbsent},
        NoContext{"d alone", b3("d"), kAbsent}, NoContext{"2 alone", b3("2"), kInvalid},
        NoContext{"empty", b3(""), kInvalid}, NoContext{"blank", b3(" "), kInvalid},
        NoContext{"trace alone", b3(kTrace), kInvalid},
        NoContext{"trace and hyphen", b3(kTrace + "-"), kInvalid},
        NoContext{"hyphen behind", b3(kTrace + "-" + kSpan + "-"), kInvalid},
        NoContext{"hyphen behind all", b3(kTrace + "-" + kSpan + "-1-" + kOther + "-"), kInvalid},
        NoContext{"a fifth field", b3(kTrace + "-" + kSpan + "-1-" + kOther + "-1"), kInvalid},
        NoContext{"parent without a decision", b3(kTrace + "-" + kSpan + "-" + kOther), kInvalid},
        NoContext{"short parent", b3(kTrace + "-" + kSpan + "-1-1"), kInvalid},
        NoContext{"decision", b3(kTrace + "-" + kSpan + "-2"), kInvalid},
        NoContext{"decision true", b3(kTrace + "-" + kSpan + "-true"), kInvalid},
        NoContext{"upper-case debug", b3(kTrace + "-" + kSpan + "-D"), kInvalid},
        NoContext{"trace 31", b3(kTrace.substr(1) + "-" + kSpan), kInvalid},
        NoContext{"trace 33", b3("0" + kTrace + "-" + kSpan), kInvalid},
        NoContext{"trace 15", b3(kShort.substr(1) + "-" + kSpan), kInvalid},
        NoContext{"span 15", b3(kTrace + "-" + kSpan.substr(1)), kInvalid},
        NoContext{"span 17", b3(kTrace + "-0" + kSpan), kInvalid},
        NoContext{"trace zero", b3(kZero32 + "-" + kSpan), kInvalid},
        NoContext{"short trace zero", b3(kZero16 + "-" + kSpan), kInvalid},
        NoContext{"span zero", b3(kTrace + "-" + kZero16), kInvalid},
        NoContext{"upper case", b3("463AC35C9F6413AD48485A3953BB6124-" + kSpan), kInvalid},
        NoContext{"no digit", b3("g63ac35c9f6413ad48485a3953bb6124-" + kSpan), kInvalid},
        NoContext{"NUL", b3(kTrace + "-" + kSpan + std::string("-1\0", 3)), kInvalid},
        NoContext{"joined", b3(kTrace + "-" + kSpan + "," + kTrace + "-" + kSpan), kInvalid},
        NoContext{"long", b3(kTrace + "-" + kSpan + "-1-" + std::string(4000, 'a')), kInvalid}));

INSTANTIATE_TEST_SUITE_P(
    B3Multi, Gives,
    ::testing::Values(
        Context{"deferred", multi(kTrace, kSpan), kTrace, kSpan, 0},
        Context{"64 bits", multi(kShort, kSpan), kPadded, kSpan, 0},
        Context{"sampled", multi(kTrace, kSpan, {{"X-B3-Sampled", "1"}}), kTrace, kSpan, 1},
        Context{"denied", multi(kTrace, kSpan, {{"X-B3-Sampled", "0"}}), kTrace, kSpan, 0},
        Context{"true", multi(kTrace, kSpan, {{"x-b3-sampled", "True"}}), kTrace, kSpan, 1},
        Context{"false", multi(kTrace, kSpan, {{"x-b3-sampled", "false"}}), kTrace, kSpan, 0},
        Context{"debug", multi(kTrace, kSpan, {{"X-B3-Flags", "1"}}), kTrace, kSpan, 1},
        Context{"no debug", multi(kTrace, kSpan, {{"X-B3-Flags", "6"}}), kTrace, kSpan, 0},
        Context{"debug outweighs",
                multi(kTrace, kSpan, {{"X-B3-Sampled", "0"}, {"X-B3-Flags", "1"}}), kTrace, kSpan,
                1},
        Context{"blanks", multi(" " + kTrace + " ", "\t" + kSpan), kTrace, kSpan, 0},
        Context{"beside a bad single one", multi(kTrace, kSpan, {{"b3", kTrace}}), kTrace, kSpan,
                0},
        Context{"beside a decision", multi(kTrace, kSpan, {{"b3", "0"}}), kTrace, kSpan, 0},
        Context{"behind the single one",
                multi(kTrace, kSpan, {{"b3", kShort + "-" + kOther + "-1"}}), kPadded, kOther, 1}));

INSTANTIATE_TEST_SUITE_P(
    B3Multi, GivesNone,
    ::testing::Values(
        NoContext{"decision", {{"X-B3-Sampled", "1"}}, kAbsent},
        NoContext{"debug", {{"X-B3-Flags", "1"}}, kAbsent},
        NoContext{"trace", {{"X-B3-TraceId", kTrace}}, kAbsent},
        NoContext{"span", {{"X-B3-SpanId", kSpan}}, kAbsent},
        NoContext{"trace zero", multi(kZero32, kSpan), kInvalid},
        NoContext{"span zero", multi(kTrace, kZero16), kInvalid},
        NoContext{"trace 17", multi("0" + kShort, kSpan), kInvalid},
        NoContext{"span 32", multi(kTrace, kTrace), kInvalid},
        NoContext{"upper case", multi(kTrace, "A2FB4A1D1A96D312"), kInvalid},
        NoContext{"odd decision", multi(kTrace, kSpan, {{"X-B3-Sampled", "d"}}), kInvalid},
        NoContext{"empty decision", multi(kTrace, kSpan, {{"X-B3-Sampled", ""}}), kInvalid},
        NoContext{"two traces", multi(kTrace, kSpan, {{"x-b3-traceid", kTrace}}), kInvalid},
        NoContext{"two decisions",
                  multi(kTrace, kSpan, {{"x-b3-sampled", "1"}, {"x-b3-sampled", "1"}}), kInvalid},
        NoContext{"NUL", multi(kTrace, kSpan.substr(1) + std::string(1, '\0')), kInvalid}));

Headers uber(const std::string& value) {
  return {{"uber-trace-id", value}};
}
std::string padded(const std::string& digits, std::size_t size) {
  return std::string(size - digits.size(), '0') + digits;
}

INSTANTIATE_TEST_SUITE_P(
    Jaeger, Gives,
    ::testing::Values(
        Context{"128 bits", uber(kTrace + ":" + kSpan + ":0:1"), kTrace, kSpan, 1},
        Context{"64 bits", uber(kShort + ":" + kSpan + ":" + kOther + ":0"), kPadded, kSpan, 0},
        Context{"left out zeros", uber("deadbeef:1f:0:3"), padded("deadbeef", 32), padded("1f", 16),
                1},
        Context{"17 digits", uber("1" + kShort + ":1:0:1"), padded("1" + kShort, 32),
                padded("1", 16), 1},
        Context{"debug alone", uber(kTrace + ":" + kSpan + ":0:2"), kTrace, kSpan, 1},
        Context{"two digits", uber(kTrace + ":" + kSpan + ":0:01"), kTrace, kSpan, 1},
        Context{"other flags", uber(kTrace + ":" + kSpan + ":0:f8"), kTrace, kSpan, 0},
        Context{"upper case", uber("463AC35C9F6413AD48485A3953BB6124:A2FB4A1D1A96D312:0:1"), kTrace,
                kSpan, 1},
        Context{"encoded", uber(kTrace + "%3A" + kSpan + "%3a0%3A1"), kTrace, kSpan, 1},
        Context{
            "name", {{"Uber-Trace-Id", " " + kTrace + ":" + kSpan + ":0:1 "}}, kTrace, kSpan, 1}));

INSTANTIATE_TEST_SUITE_P(
    Jaeger, GivesNone,
    ::testing::Values(
        NoContext{"empty", uber(""), kInvalid}, NoContext{"colons", uber(":::"), kInvalid},
        NoContext{"three fields", uber(kTrace + ":" + kSpan + ":1"), kInvalid},
        NoContext{"five fields", uber(kTrace + ":" + kSpan + ":0:1:1"), kInvalid},
        NoContext{"trace zero", uber("0:" + kSpan + ":0:1"), kInvalid},
        NoContext{"span zero", uber(kTrace + ":0:0:1"), kInvalid},
        NoContext{"trace 33", uber("0" + kTrace + ":" + kSpan + ":0:1"), kInvalid},
        NoContext{"span 17", uber(kTrace + ":0" + kSpan + ":0:1"), kInvalid},
        NoContext{"parent 17", uber(kTrace + ":" + kSpan + ":0" + kOther + ":1"), kInvalid},
        NoContext{"no parent", uber(kTrace + ":" + kSpan + "::1"), kInvalid},
        NoContext{"no flags", uber(kTrace + ":" + kSpan + ":0:"), kInvalid},
        NoContext{"three digits of flags", uber(kTrace + ":" + kSpan + ":0:001"), kInvalid},
        NoContext{"sign", uber("-1:" + kSpan + ":0:1"), kInvalid},
        NoContext{"other encoding", uber(kTrace + "%3B" + kSpan + ":0:1"), kInvalid},
        NoContext{"half an encoding", uber(kTrace + ":" + kSpan + ":0%3"), kInvalid},
        NoContext{"two", {{"uber-trace-id", "1:1:0:1"}, {"Uber-Trace-Id", "1:1:0:1"}}, kInvalid},
        NoContext{"NUL", uber(kTrace + std::string("\0:", 2) + kSpan + ":0:1"), kInvalid},
        NoContext{"long", uber(std::string(4000, '1') + ":1:0:1"), kInvalid}));

Headers amzn(const std::string& value) {
  return {{"X-Amzn-Trace-Id", value}};
}
const std::string kRoot = "Root=1-463ac35c-9f6413ad48485a3953bb6124";
const std::string kParent = "Parent=" + kSpan;

INSTANTIATE_TEST_SUITE_P(
    Xray, Gives,
    ::testing::Values(
        Context{"sampled", amzn(kRoot + ";" + kParent + ";Sampled=1"), kTrace, kSpan, 1},
        Context{"denied", amzn(kRoot + ";" + kParent + ";Sampled=0"), kTrace, kSpan, 0},
        Context{"asked", amzn(kRoot + ";" + kParent + ";Sampled=?"), kTrace, kSpan, 0},
        Context{"deferred", amzn(kRoot + ";" + kParent), kTrace, kSpan, 0},
        Context{"order", amzn("Sampled=1;" + kParent + ";" + kRoot), kTrace, kSpan, 1},
        Context{"blanks", amzn(" " + kRoot + " ; " + kParent + "; Sampled = 1 ;"), kTrace, kSpan,
                1},
        Context{"other fields",
                amzn("Self=1-67891234-12456789abcdef0123456789;" + kRoot + ";" + kParent +
                     ";Sampled=1;Lineage=a:b|c=d;CalledFrom="),
                kTrace, kSpan, 1},
        Context{"case", amzn("root=1-463AC35C-9F6413AD48485A3953BB6124;PARENT=A2FB4A1D1A96D312"),
                kTrace, kSpan, 0}));

INSTANTIATE_TEST_SUITE_P(
    Xray, GivesNone,
    ::testing::Values(
        NoContext{"a load balancer's", amzn(kRoot), kAbsent},
        NoContext{"and another one's", amzn("Self=1-67891234-12456789abcdef0123456789;" + kRoot),
                  kAbsent},
        NoContext{"decision of a root", amzn(kRoot + ";Sampled=1"), kAbsent},
        NoContext{"parent alone", amzn(kParent), kAbsent}, NoContext{"empty", amzn(""), kInvalid},
        NoContext{"a word", amzn("Root"), kInvalid},
        NoContext{"version", amzn("Root=2-463ac35c-9f6413ad48485a3953bb6124;" + kParent), kInvalid},
        NoContext{"no version", amzn("Root=" + kTrace + ";" + kParent), kInvalid},
        NoContext{"short", amzn("Root=1-463ac35-9f6413ad48485a3953bb6124;" + kParent), kInvalid},
        NoContext{"shifted", amzn("Root=1-463ac35c9-f6413ad48485a3953bb6124;" + kParent), kInvalid},
        NoContext{"zero", amzn("Root=1-00000000-" + std::string(24, '0') + ";" + kParent),
                  kInvalid},
        NoContext{"parent zero", amzn(kRoot + ";Parent=" + kZero16), kInvalid},
        NoContext{"parent 15", amzn(kRoot + ";Parent=" + kSpan.substr(1)), kInvalid},
        NoContext{"decision", amzn(kRoot + ";" + kParent + ";Sampled=2"), kInvalid},
        NoContext{"no decision", amzn(kRoot + ";" + kParent + ";Sampled="), kInvalid},
        NoContext{"two roots", amzn(kRoot + ";" + kRoot + ";" + kParent), kInvalid},
        NoContext{"two parents", amzn(kRoot + ";" + kParent + ";" + kParent), kInvalid},
        NoContext{"two headers",
                  {{"X-Amzn-Trace-Id", kRoot + ";" + kParent}, {"x-amzn-trace-id", kRoot}},
                  kInvalid},
        NoContext{"comma", amzn(kRoot + "," + kParent), kInvalid},
        NoContext{"NUL", amzn(kRoot + ";" + kParent + ";Sampled=1" + std::string(1, '\0')),
                  kInvalid}));

Headers datadog(const std::string& trace, const std::string& parent, Headers more = {}) {
  more.emplace_back("x-datadog-trace-id", trace);
  more.emplace_back("X-Datadog-Parent-Id", parent);
  return more;
}
Headers tags(const std::string& value) {
  return {{"x-datadog-tags", value}};
}
Headers priority(const std::string& value) {
  return {{"x-datadog-sampling-priority", value}};
}
const std::string kMost = "18446744073709551615";
const std::string kMostHex = padded(std::string(16, 'f'), 32);
const std::string kTwo = padded("2", 16);

INSTANTIATE_TEST_SUITE_P(
    Datadog, Gives,
    ::testing::Values(
        Context{"64 bits", datadog("5208512171318403364", "2"), kPadded, kTwo, 0},
        Context{"most", datadog(kMost, kMost), kMostHex, std::string(16, 'f'), 0},
        Context{"128 bits", datadog("5208512171318403364", "2", tags("_dd.p.tid=463ac35c9f6413ad")),
                kTrace, kTwo, 0},
        Context{"among tags",
                datadog("5208512171318403364", "2",
                        tags("_dd.p.dm=-4, _dd.p.tid=463ac35c9f6413ad,_dd.p.x=a=b")),
                kTrace, kTwo, 0},
        Context{"other tags", datadog("1", "2", tags("x_dd.p.tid=1,_dd.p.tids=2,,y")),
                padded("1", 32), kTwo, 0},
        Context{"no tags", datadog("1", "2", tags("")), padded("1", 32), kTwo, 0},
        Context{"kept", datadog("1", "2", priority("1")), padded("1", 32), kTwo, 1},
        Context{"kept by a user", datadog("1", "2", priority(" 2 ")), padded("1", 32), kTwo, 1},
        Context{"rejected", datadog("1", "2", priority("0")), padded("1", 32), kTwo, 0},
        Context{"rejected by a user", datadog("1", "2", priority("-1")), padded("1", 32), kTwo, 0},
        Context{"blanks", datadog(" 1\t", " 2 "), padded("1", 32), kTwo, 0}));

INSTANTIATE_TEST_SUITE_P(
    Datadog, GivesNone,
    ::testing::Values(
        NoContext{"trace alone", {{"x-datadog-trace-id", "1"}}, kAbsent},
        NoContext{"parent alone", {{"x-datadog-parent-id", "1"}}, kAbsent},
        NoContext{"upper half and parent",
                  {{"x-datadog-parent-id", "1"}, {"x-datadog-tags", "_dd.p.tid=463ac35c9f6413ad"}},
                  kAbsent},
        NoContext{"a synthetic test's", datadog("1", "0", priority("1")), kAbsent},
        NoContext{"trace zero", datadog("0", "2"), kInvalid},
        NoContext{"trace zero of 128 bits", datadog("0", "2", tags("_dd.p.tid=463ac35c9f6413ad")),
                  kInvalid},
        NoContext{"too large", datadog("18446744073709551616", "2"), kInvalid},
        NoContext{"negative", datadog("-1", "2"), kInvalid},
        NoContext{"plus", datadog("+1", "2"), kInvalid},
        NoContext{"hexadecimal", datadog("0x1", "2"), kInvalid},
        NoContext{"empty", datadog("", "2"), kInvalid},
        NoContext{"empty parent", datadog("1", ""), kInvalid},
        NoContext{"joined", datadog("1, 1", "2"), kInvalid},
        NoContext{"odd priority", datadog("1", "2", priority("keep")), kInvalid},
        NoContext{"fraction", datadog("1", "2", priority("1.0")), kInvalid},
        NoContext{"short half", datadog("1", "2", tags("_dd.p.tid=463ac35c9f6413a")), kInvalid},
        NoContext{"long half", datadog("1", "2", tags("_dd.p.tid=463ac35c9f6413ad0")), kInvalid},
        NoContext{"empty half", datadog("1", "2", tags("_dd.p.tid=")), kInvalid},
        NoContext{"upper case", datadog("1", "2", tags("_dd.p.tid=463AC35C9F6413AD")), kInvalid},
        NoContext{"two halves",
                  datadog("1", "2", tags("_dd.p.tid=463ac35c9f6413ad,_dd.p.tid=463ac35c9f6413ad")),
                  kInvalid},
        NoContext{"two parents", datadog("1", "2", {{"x-datadog-parent-id", "2"}}), kInvalid},
        NoContext{"NUL", datadog(std::string("1\0", 2), "2"), kInvalid},
        NoContext{"long", datadog(std::string(4000, '1'), "2"), kInvalid}));

}  // namespace
}  // namespace exa
