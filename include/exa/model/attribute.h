// Attributes (OpenTelemetry common.proto) and the resource that carries them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace exa {

using AttributeValue = std::variant<std::string, std::int64_t, double, bool>;

struct Attribute {
  std::string key;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};
using Attributes = std::vector<Attribute>;

// Immutable once shared; compared by address on hot paths.
struct Resource {
  Attributes attributes;
};

}  // namespace exa
