#include "agent/capture/target_message.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "exa/base/overloaded.h"

namespace exa {
namespace {

// Layout, in the host's byte order: version, tgid, start time, flags, as of when, service name,
// number of attributes, then each as key, kind, value. Texts are a 16-bit length and the bytes.
// Recordings of version 1 have no "as of when".
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kOldestVersion = 1;
enum Flags : std::uint8_t {
  kObserved = 1,
  kNameChosen = 2,
  kProvisional = 4,
  kUndecided = 8,
  kAllFlags = 15
};
constexpr std::size_t kMaxTextBytes = 1024;
constexpr std::uint16_t kMaxAttributes = 256;

enum class ValueKind : std::uint8_t { kText = 0, kInteger = 1, kReal = 2, kBoolean = 3 };

class Writer {
 public:
  explicit Writer(TargetMessage& message) : message_(message) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  void rewind(std::size_t position) { position_ = position; }

  template <typename T>
  bool put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return put_bytes(&value, sizeof value);
  }
  bool put_text(std::string_view text) {
    text = text.substr(0, kMaxTextBytes);
    return put(static_cast<std::uint16_t>(text.size())) && put_bytes(text.data(), text.size());
  }

 private:
  bool put_bytes(const void* bytes, std::size_t size) {
    if (size > message_.size() - position_) return false;
    std::memcpy(message_.data() + position_, bytes, size);
    position_ += size;
    return true;
  }

  TargetMessage& message_;
  std::size_t position_ = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  std::optional<T> take() {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>);
    if (bytes_.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }
  std::optional<std::string> take_text() {
    const auto size = take<std::uint16_t>();
    if (!size || *size > kMaxTextBytes || *size > bytes_.size()) return std::nullopt;
    std::string text(reinterpret_cast<const char*>(bytes_.data()), *size);
    bytes_ = bytes_.subspan(*size);
    return text;
  }

 private:
  std::span<const std::byte> bytes_;
};

bool put_attribute(Writer& writer, const Attribute& attribute) {
  if (!writer.put_text(attribute.key)) return false;
  return std::visit(
      Overloaded{
          [&](const std::string& text) {
            return writer.put(ValueKind::kText) && writer.put_text(text);
          },
          [&](std::int64_t integer) {
            return writer.put(ValueKind::kInteger) && writer.put(integer);
          },
          [&](double real) { return writer.put(ValueKind::kReal) && writer.put(real); },
          [&](bool truth) {
            return writer.put(ValueKind::kBoolean) && writer.put(static_cast<std::uint8_t>(truth));
          },
      },
      attribute.value);
}

template <typename Stored, typename Taken>
bool store(const std::optional<Taken>& taken, AttributeValue& value) {
  if (taken) value.emplace<Stored>(static_cast<Stored>(*taken));
  return taken.has_value();
}

bool take_value(Reader& reader, AttributeValue& value) {
  const auto kind = reader.take<std::uint8_t>();
  if (!kind) return false;
  switch (static_cast<ValueKind>(*kind)) {
    case ValueKind::kText:
      return store<std::string>(reader.take_text(), value);
    case ValueKind::kInteger:
      return store<std::int64_t>(reader.take<std::int64_t>(), value);
    case ValueKind::kReal:
      return store<double>(reader.take<double>(), value);
    case ValueKind::kBoolean:
      return store<bool>(reader.take<std::uint8_t>(), value);
  }
  return false;
}

}  // namespace

TargetMessage encode_target(const Target& target) {
  TargetMessage message{};
  Writer writer(message);
  writer.put(kVersion);
  writer.put(target.process.tgid);
  writer.put(target.process.start_time_ns);
  writer.put(static_cast<std::uint8_t>(
      (target.observed ? kObserved : 0) | (target.name_chosen ? kNameChosen : 0) |
      (target.provisional ? kProvisional : 0) | (target.undecided ? kUndecided : 0)));
  writer.put(target.as_of.ns);
  writer.put_text(target.service_name);

  const auto count_at = writer.position();
  std::uint16_t count = 0;
  writer.put(count);
  if (target.resource) {
    for (const auto& attribute : target.resource->attributes) {
      const auto before = writer.position();
      if (count == kMaxAttributes || !put_attribute(writer, attribute)) {
        writer.rewind(before);
        break;
      }
      ++count;
    }
  }
  const auto end = writer.position();
  writer.rewind(count_at);
  writer.put(count);
  // A cut attribute leaves no trace: equal targets are equal bytes.
  std::fill(message.begin() + static_cast<std::ptrdiff_t>(end), message.end(), std::byte{0});
  return message;
}

Result<Target> decode_target(std::span<const std::byte> bytes) {
  const auto malformed = [](const char* where) {
    return fail(std::string("target message: ") + where + " is missing or malformed");
  };
  Reader reader(bytes);
  const auto version = reader.take<std::uint32_t>();
  if (!version || *version < kOldestVersion || *version > kVersion) return malformed("version");
  const auto tgid = reader.take<std::uint32_t>();
  const auto start = reader.take<std::uint64_t>();
  const auto flags = reader.take<std::uint8_t>();
  if (!tgid || !start || !flags || *flags > kAllFlags) return malformed("process");
  const auto as_of = *version > kOldestVersion ? reader.take<std::uint64_t>() : std::uint64_t{0};
  if (!as_of) return malformed("time");
  auto service = reader.take_text();
  if (!service) return malformed("service name");
  const auto count = reader.take<std::uint16_t>();
  if (!count || *count > kMaxAttributes) return malformed("number of attributes");

  auto resource = std::make_shared<Resource>();
  resource->attributes.reserve(*count);
  for (std::uint16_t i = 0; i < *count; ++i) {
    auto key = reader.take_text();
    if (!key) return malformed("attribute key");
    AttributeValue value;
    if (!take_value(reader, value)) return malformed("attribute value");
    resource->attributes.push_back({std::move(*key), std::move(value)});
  }
  return Target{.process = {*tgid, *start},
                .as_of = {*as_of},
                .observed = (*flags & kObserved) != 0,
                .undecided = (*flags & kUndecided) != 0,
                .service_name = std::move(*service),
                .name_chosen = (*flags & kNameChosen) != 0,
                .provisional = (*flags & kProvisional) != 0,
                .resource = std::move(resource)};
}

}  // namespace exa
