// Reads what the running agent tells, whatever it is instead: what is not of the form that is asked
// for is empty. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/commands/status/running_agent.h"

namespace exa {

using ToldJson = nlohmann::json;

// An object, empty of an empty text; discarded if it is none.
inline ToldJson parsed_told(std::string_view text) {
  if (text.empty()) return ToldJson::object();
  auto json = text.size() <= kMaxToldBytes ? ToldJson::parse(text, nullptr, false)
                                           : ToldJson(ToldJson::value_t::discarded);
  return json.is_object() ? json : ToldJson(ToldJson::value_t::discarded);
}

inline ToldJson value_in(const ToldJson& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : ToldJson();
}
inline ToldJson list_in(const ToldJson& object, const char* key) {
  auto value = value_in(object, key);
  return value.is_array() ? value : ToldJson::array();
}
inline std::string text_in(const ToldJson& object, const char* key) {
  const auto value = value_in(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}
inline std::uint64_t number_in(const ToldJson& object, const char* key) {
  const auto value = value_in(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}
inline double real_in(const ToldJson& object, const char* key) {
  const auto value = value_in(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

}  // namespace exa
