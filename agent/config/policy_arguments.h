// The arguments of a policy as they are written: values between commas, with or without a name. For
// policy_text and policy_rule_text, and nobody else. Pure.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/value_text.h"
#include "exa/base/result.h"
#include "exa/base/take_until.h"
#include "exa/base/whitespace.h"
#include "exa/model/exchange.h"

namespace exa::policy_arguments {

inline bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

inline std::unexpected<Error> refuse(std::string_view what, std::string_view expected) {
  return fail("'" + std::string(what.substr(0, 80)) + "' " + std::string(expected));
}

struct Argument {
  std::string_view name;
  std::string_view value;
};
using Arguments = std::vector<Argument>;

inline Arguments arguments_of(std::string_view text) {
  Arguments arguments;
  while (!trimmed(text).empty()) {
    const auto one = trimmed(take_until(text, ','));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos)
      arguments.push_back({.name = {}, .value = one});
    else
      arguments.push_back(
          {.name = trimmed(one.substr(0, equals)), .value = trimmed(one.substr(equals + 1))});
  }
  return arguments;
}

// Where an argument goes. The first one may stand without its name, where there is one.
struct Place {
  std::string_view name;
  std::function<Result<>(std::string_view)> store;
  bool required = false;
  bool unnamed = false;
};

template <typename T, typename Parse>
auto into(T& place, Parse parse) {
  return [&place, parse](std::string_view text) -> Result<> {
    auto parsed = parse(text);
    if (!parsed) return std::unexpected(parsed.error());
    place = static_cast<T>(std::move(*parsed));
    return {};
  };
}

inline Result<> take(std::string_view policy, const Arguments& arguments,
                     std::vector<Place> places) {
  for (const auto& argument : arguments) {
    const auto place = std::ranges::find_if(places, [&](const Place& one) {
      return argument.name.empty() ? one.unnamed : one.name == argument.name;
    });
    if (place == places.end())
      return refuse(argument.name.empty() ? argument.value : argument.name,
                    "is not an argument of " + std::string(policy) + ", or is given twice");
    if (auto stored = place->store(argument.value); !stored)
      return fail(std::string(policy) + ": " + stored.error().text);
    places.erase(place);
  }
  for (const auto& place : places)
    if (place.required)
      return fail(std::string(policy) + " needs a value: " + std::string(place.name));
  return {};
}

inline constexpr std::size_t kMostPolicyBytes = 1024;

// What is known of a request: a longer one would be met by none.
inline constexpr std::size_t kMostPathBytes = decltype(Operation::name)::kCapacity;
inline constexpr std::size_t kMostMethodBytes = decltype(Operation::method_original)::kCapacity;

inline Result<> check_path_prefix(std::string_view prefix) {
  if (prefix.size() > kMostPathBytes)
    return refuse(prefix, "is longer than " + std::to_string(kMostPathBytes) +
                              " bytes, of which no more is known of a path");
  if (prefix.find_first_of("?#") != std::string_view::npos)
    return refuse(prefix, "has a query; only the path before it is compared");
  return {};
}

}  // namespace exa::policy_arguments
