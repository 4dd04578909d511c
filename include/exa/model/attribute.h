// Attributes (OpenTelemetry common.proto) and the resource that carries them.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exa/base/overloaded.h"

namespace exa {

using AttributeValue = std::variant<std::string, std::int64_t, double, bool>;

struct Attribute {
  std::string key;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};
using Attributes = std::vector<Attribute>;

// Numbers in their shortest form that reads back the same, truth as "true" and "false".
inline std::string attribute_text(const AttributeValue& value) {
  return std::visit(Overloaded{
                        [](const std::string& text) { return text; },
                        [](std::int64_t number) { return std::to_string(number); },
                        [](double real) {
                          std::array<char, 32> text;  // a double takes 24 at most
                          const auto written =
                              std::to_chars(text.data(), text.data() + text.size(), real);
                          return std::string(text.data(), written.ptr);
                        },
                        [](bool truth) { return std::string(truth ? "true" : "false"); },
                    },
                    value);
}

// Empty if the key is absent.
inline std::string attribute_text(const Attributes& attributes, std::string_view key) {
  const auto found = std::ranges::find(attributes, key, &Attribute::key);
  return found == attributes.end() ? std::string() : attribute_text(found->value);
}

inline bool has_attribute(const Attributes& attributes, std::string_view key) {
  return std::ranges::find(attributes, key, &Attribute::key) != attributes.end();
}

// Replaces what the key had. An empty text says nothing and changes nothing.
inline void set_attribute(Attributes& attributes, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  const auto known = std::ranges::find(attributes, key, &Attribute::key);
  if (known != attributes.end())
    known->value = std::string(text);
  else
    attributes.push_back({std::string(key), std::string(text)});
}

inline void set_attribute_if_absent(Attributes& attributes, std::string_view key,
                                    std::string_view text) {
  if (!has_attribute(attributes, key)) set_attribute(attributes, key, text);
}

// Immutable once shared; compared by address on hot paths.
struct Resource {
  Attributes attributes;
};

// "namespace/name", or the name alone; empty of none.
inline std::string service_text(const Resource* resource) {
  if (resource == nullptr) return {};
  const auto space = attribute_text(resource->attributes, "service.namespace");
  const auto name = attribute_text(resource->attributes, "service.name");
  return space.empty() ? name : space + "/" + name;
}

}  // namespace exa
