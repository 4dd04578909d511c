// One function for each alternative of a std::variant. Visiting with them does not compile while an
// alternative has none, which a chain of get_if would pass over in silence.
#pragma once

namespace exa {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace exa
