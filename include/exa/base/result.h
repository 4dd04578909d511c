// Failure as a value. The text of an Error tells an administrator what was tried and what to do.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace exa {

struct Error {
  std::string text;
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string text) {
  return std::unexpected(Error{std::move(text)});
}

// errno_value is taken by the caller on the failing line.
inline std::unexpected<Error> fail_errno(std::string what, int errno_value) {
  return fail(std::move(what) + ": " + std::strerror(errno_value));
}

}  // namespace exa
