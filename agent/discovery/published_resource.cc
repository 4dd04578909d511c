#include "agent/discovery/published_resource.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exa/base/hex.h"
#include "exa/base/percent.h"

namespace exa {
namespace {

using Bytes = std::span<const std::byte>;

// The fields of a protobuf message, one by one.
class Fields {
 public:
  explicit Fields(Bytes message) : rest_(message) {}

  // False at the end, and at what is no field.
  bool next() {
    std::uint64_t tag = 0;
    if (rest_.empty() || !varint(tag)) return false;
    number = tag >> 3;
    bytes = {};
    switch (tag & 7) {
      case 0:
        return varint(value);
      case 1:
        return fixed(sizeof(std::uint64_t));
      case 2:
        return varint(value) && value <= rest_.size() && take(static_cast<std::size_t>(value));
      case 5:
        return fixed(sizeof(std::uint32_t));
      default:
        return broken();
    }
  }
  [[nodiscard]] bool ended_well() const { return well_ && rest_.empty(); }

  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a number
  Bytes bytes;              // of a text or message

 private:
  bool broken() { return well_ = false; }
  bool varint(std::uint64_t& to) {
    to = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      to |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return broken();
  }
  bool take(std::size_t size) {
    bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return true;
  }
  bool fixed(std::size_t size) {
    if (rest_.size() < size) return broken();
    take(size);
    value = 0;
    std::memcpy(&value, bytes.data(), size);  // little-endian, as the processors that we run on
    return true;
  }

  Bytes rest_;
  bool well_ = true;
};
static_assert(std::endian::native == std::endian::little);

struct Attribute {
  std::string_view key;
  std::optional<std::string> value;  // none: not of a kind that is told
};

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// opentelemetry.proto.common.v1.AnyValue
std::optional<std::string> value_of(Bytes any) {
  std::optional<std::string> value;
  Fields fields(any);
  while (fields.next()) {
    if (fields.number == 1) value = text_of(fields.bytes);
    if (fields.number == 2) value = fields.value != 0 ? "true" : "false";
    if (fields.number == 3) value = std::to_string(static_cast<std::int64_t>(fields.value));
    if (fields.number == 4) value = std::to_string(std::bit_cast<double>(fields.value));
  }
  return fields.ended_well() ? value : std::nullopt;
}

// opentelemetry.proto.common.v1.KeyValue. Nothing: it is none.
std::optional<Attribute> attribute_of(Bytes key_value) {
  Attribute attribute;
  bool has_value = false;
  Fields fields(key_value);
  while (fields.next()) {
    if (fields.number == 1) attribute.key = text_of(fields.bytes);
    if (fields.number == 2) attribute.value = value_of(fields.bytes);
    has_value = has_value || fields.number == 2;
  }
  if (!fields.ended_well() || attribute.key.empty() || !has_value) return std::nullopt;
  return attribute;
}

// As OTEL_RESOURCE_ATTRIBUTES has it.
void append_encoded(std::string& to, std::string_view text) {
  append_percent_encoded(to, text, [](char c) { return is_unreserved(c) || c == '/' || c == ':'; });
}

// opentelemetry.proto.resource.v1.Resource. Nothing: it is none.
std::optional<OtelEnvironment> resource_of(Bytes resource) {
  // What an SDK says that was not told.
  constexpr std::string_view kUnknownService = "unknown_service";
  OtelEnvironment said;
  auto& all = said.resource_attributes;
  Fields fields(resource);
  while (fields.next()) {
    if (fields.number != 1) continue;
    const auto attribute = attribute_of(fields.bytes);
    if (!attribute) return std::nullopt;
    if (!attribute->value) continue;
    if (attribute->key == "service.name") {
      const auto& name = *attribute->value;
      if (!name.starts_with(kUnknownService) && name.size() <= kMaxPublishedText)
        said.service_name = name;
      continue;
    }
    std::string one = all.empty() ? "" : ",";
    append_encoded(one, attribute->key);
    one += '=';
    append_encoded(one, *attribute->value);
    if (all.size() + one.size() <= kMaxPublishedText) all += one;
  }
  if (!fields.ended_well()) return std::nullopt;
  return said;
}

bool read_at(int memory, std::uint64_t address, std::span<std::byte> room) {
  while (!room.empty()) {
    const auto got = ::pread(memory, room.data(), room.size(), static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    room = room.subspan(static_cast<std::size_t>(got));
    address += static_cast<std::uint64_t>(got);
  }
  return true;
}

struct Header {
  std::array<char, 8> signature;
  std::uint32_t version;
  std::uint32_t payload_bytes;
  std::uint64_t published_at_ns;  // 0: it is being changed
  std::uint64_t payload_at;
  bool operator==(const Header&) const = default;
};
static_assert(sizeof(Header) == 32);

std::optional<Header> read_header(int memory, std::uint64_t address) {
  Header header{};
  if (!read_at(memory, address, std::as_writable_bytes(std::span(&header, 1)))) return std::nullopt;
  constexpr std::uint32_t kVersion = 2;
  const std::string_view signature(header.signature.data(), header.signature.size());
  if (signature != "OTEL_CTX" || header.version != kVersion) return std::nullopt;
  if (header.payload_bytes > kMaxPublishedBytes) return std::nullopt;
  return header;
}

}  // namespace

// Publishers put the resource into another message, as its first field; the specification had
// published it as it is.
OtelEnvironment parse_published(std::span<const std::byte> payload) {
  Fields fields(payload);
  while (fields.next())
    if (fields.number == 1)
      if (auto said = resource_of(fields.bytes)) return std::move(*said);
  return resource_of(payload).value_or(OtelEnvironment{});
}

std::uint64_t place_of_published(int iterator) {
  std::uint64_t address = 0;
  ssize_t got = 0;
  do {
    got = ::read(iterator, &address, sizeof address);
  } while (got < 0 && (errno == EINTR || errno == EAGAIN));
  return got == static_cast<ssize_t>(sizeof address) ? address : 0;
}

OtelEnvironment read_published(int memory, std::uint64_t header_at) {
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto header = read_header(memory, header_at);
    if (!header) break;
    if (header->published_at_ns == 0) continue;
    std::vector<std::byte> payload(header->payload_bytes);
    if (!read_at(memory, header->payload_at, payload)) continue;
    // It is whole if nothing was published meanwhile.
    if (read_header(memory, header_at) == header) return parse_published(payload);
  }
  return {};
}

}  // namespace exa
