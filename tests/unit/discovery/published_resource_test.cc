#include "agent/discovery/published_resource.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/value_text.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

using namespace std::string_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string field(char tag, const std::string& content) {
  return std::string{tag, static_cast<char>(content.size())} + content;
}
std::string attribute(const std::string& key, const std::string& any_value) {
  return field('\x0a', field('\x0a', key) + field('\x12', any_value));
}
std::string text(const std::string& value) {
  return field('\x0a', value);
}

const std::string kResource =
    attribute("service.name", text("shop")) + attribute("team", text("checkout"));

TEST(PublishedResource, IsToldAsAnEnvironmentWouldSayIt) {
  const auto said = parse_published(bytes_of(kResource));
  EXPECT_EQ(said.service_name, "shop");
  EXPECT_EQ(said.resource_attributes, "team=checkout");
}

TEST(PublishedResource, MayBeTheFirstFieldOfAMessage) {
  const auto said = parse_published(bytes_of(field('\x0a', kResource) + field('\x12', "other")));
  EXPECT_EQ(said.service_name, "shop");
  EXPECT_EQ(said.resource_attributes, "team=checkout");
}

TEST(PublishedResource, ValuesComeBackAsTheyWere) {
  const auto said = parse_published(bytes_of(
      attribute("a", text("x, y=100 %\n\xc3\xa9")) + attribute("b", "\x10\x01"s) +
      attribute("c", "\x18\x2a"s) + attribute("d", field('\x2a', "")) + attribute("e", text("z"))));
  const auto pairs = parse_pairs(said.resource_attributes);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "x, y=100 %\n\xc3\xa9"}, {"b", "true"}, {"c", "42"}, {"e", "z"}};
  EXPECT_EQ(pairs, expected);
}

TEST(PublishedResource, OfAServiceThatNobodyNamedSaysNoName) {
  const auto said = parse_published(bytes_of(
      attribute("service.name", text("unknown_service:python")) + attribute("a", text("b"))));
  EXPECT_EQ(said.service_name, "");
  EXPECT_EQ(said.resource_attributes, "a=b");
}

TEST(PublishedResource, NothingOfWhatIsCutIsBelieved) {
  const auto whole = field('\x0a', kResource);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(parse_published(bytes_of(whole).first(size)), OtelEnvironment{}) << size;
  EXPECT_EQ(parse_published(bytes_of("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s)),
            OtelEnvironment{});
}

TEST(PublishedResource, IsBounded) {
  std::string resource;
  for (int i = 0; i < 4'000; ++i)
    resource += attribute(std::to_string(i), text(std::string(100, 'x')));
  const auto said = parse_published(bytes_of(resource));
  EXPECT_LE(said.resource_attributes.size(), kMaxPublishedText);
  EXPECT_GT(said.resource_attributes.size(), kMaxPublishedText - 110);
}

// What a process publishes, read as a reader does: out of its memory.
struct Published {
  explicit Published(const std::string& content)
      : payload(content),
        payload_bytes(static_cast<std::uint32_t>(payload.size())),
        payload_at(reinterpret_cast<std::uint64_t>(payload.data())) {}
  std::string payload;
  std::array<char, 8> signature = {'O', 'T', 'E', 'L', '_', 'C', 'T', 'X'};
  std::uint32_t version = 2;
  std::uint32_t payload_bytes;
  std::uint64_t published_at_ns = 1;
  std::uint64_t payload_at;
};

OtelEnvironment read(const Published& published) {
  const UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  return read_published(memory.get(), reinterpret_cast<std::uint64_t>(&published.signature));
}

TEST(PublishedResource, IsReadFromMemory) {
  Published published(kResource);
  EXPECT_EQ(read(published).service_name, "shop");
}

TEST(PublishedResource, IsNotReadWhereAnythingIsOdd) {
  const auto broken = [](auto change) {
    Published published(kResource);
    change(published);
    return read(published);
  };
  EXPECT_EQ(broken([](Published& it) { it.signature[7] = 'Y'; }), OtelEnvironment{});
  EXPECT_EQ(broken([](Published& it) { it.version = 3; }), OtelEnvironment{});
  EXPECT_EQ(broken([](Published& it) { it.published_at_ns = 0; }), OtelEnvironment{})
      << "it is being changed";
  EXPECT_EQ(broken([](Published& it) { it.payload_bytes = 1u << 31; }), OtelEnvironment{});
  EXPECT_EQ(broken([](Published& it) { it.payload_at = 8; }), OtelEnvironment{});
  EXPECT_EQ(broken([](Published& it) { it.payload_at = ~0ULL; }), OtelEnvironment{});
}

}  // namespace
}  // namespace exa
