// What the encoders of all signals have in common. Pure; included by encoders only.
#pragma once

#include <protozero/pbf_builder.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "exa/base/overloaded.h"
#include "exa/model/attribute.h"
#include "exa/model/span.h"
#include "exporters/encoding/utf8.h"
#include "exporters/otlp/encoder.h"
#include "exporters/otlp/wire.h"

namespace exa::otlp {

template <typename Field>
using Builder = protozero::pbf_builder<Field>;

template <typename Field>
void add_text(Builder<Field>& builder, Field field, const std::string& text) {
  if (is_valid_utf8(text)) return builder.add_string(field, text);
  builder.add_string(field, repair_utf8(text));
}

inline void encode(std::string& out, const Attribute& attribute) {
  Builder<KeyValueField> pair(out);
  add_text(pair, KeyValueField::kKey, attribute.key);
  Builder<AnyValueField> value(pair, KeyValueField::kValue);
  std::visit(Overloaded{
                 [&](const std::string& text) { add_text(value, AnyValueField::kString, text); },
                 [&](std::int64_t number) { value.add_int64(AnyValueField::kInt, number); },
                 [&](double real) { value.add_double(AnyValueField::kDouble, real); },
                 [&](bool flag) { value.add_bool(AnyValueField::kBool, flag); },
             },
             attribute.value);
}

template <typename Field>
void add_attributes(Builder<Field>& builder, Field field, const Attributes& attributes) {
  std::string pair;
  for (const Attribute& attribute : attributes) {
    pair.clear();
    encode(pair, attribute);
    builder.add_message(field, pair);
  }
}

template <typename Field, std::size_t Bytes>
void add_id(Builder<Field>& builder, Field field, const Id<Bytes>& id) {
  if (id.valid()) builder.add_bytes(field, reinterpret_cast<const char*>(id.bytes.data()), Bytes);
}

inline std::string encode_resource(const Resource* resource) {
  std::string out;
  Builder<ResourceField> builder(out);
  if (resource) add_attributes(builder, ResourceField::kAttributes, resource->attributes);
  return out;
}

inline std::string encode_scope(const OtlpScope& scope) {
  std::string out;
  Builder<ScopeField> builder(out);
  builder.add_string(ScopeField::kName, scope.name);
  builder.add_string(ScopeField::kVersion, scope.version);
  return out;
}

// A request of what is told of each span, or nothing of it: those of one resource are together, in
// the order of first appearance.
template <typename EncodeItem>
std::string encode_by_resource(std::span<const Span> spans, const OtlpScope& scope,
                               EncodeItem encode_item) {
  std::vector<std::pair<const Resource*, std::string>> groups;  // of each resource
  std::unordered_map<const Resource*, std::size_t> group_of;
  const std::string scope_message = encode_scope(scope);
  for (const Span& span : spans) {
    const auto [found, added] = group_of.try_emplace(span.resource.get(), groups.size());
    if (added) {
      groups.emplace_back(span.resource.get(), std::string());
      Builder<ScopeItemsField>(groups.back().second)
          .add_message(ScopeItemsField::kScope, scope_message);
    }
    Builder<ScopeItemsField>(groups[found->second].second)
        .add_message(ScopeItemsField::kItems, encode_item(span));
  }
  std::string request;
  Builder<RequestField> builder(request);
  for (const auto& [resource, of_scope] : groups) {
    Builder<ResourceItemsField> items(builder, RequestField::kResourceItems);
    items.add_message(ResourceItemsField::kResource, encode_resource(resource));
    items.add_message(ResourceItemsField::kScopeItems, of_scope);
  }
  return request;
}

}  // namespace exa::otlp
