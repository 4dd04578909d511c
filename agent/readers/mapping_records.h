// Mappings of processes as the kernel's iterator tells them, record by record.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/discovery/tls/mapped_images.h"

namespace exa {

// visit(record) says whether to go on. Ends with the iterator, or with the first error.
template <typename Visit>
void for_each_mapping(int iterator, const Visit& visit) {
  std::array<exa_mapping, 32> records{};
  std::size_t held = 0;  // bytes: a read may end within a record
  auto* const bytes = reinterpret_cast<char*>(records.data());
  for (;;) {
    const auto got = ::read(iterator, bytes + held, sizeof(records) - held);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return;
    held += static_cast<std::size_t>(got);
    const std::size_t whole = held / sizeof(exa_mapping);
    for (std::size_t i = 0; i < whole; ++i)
      if (!visit(records.at(i))) return;
    held -= whole * sizeof(exa_mapping);
    std::memmove(bytes, bytes + whole * sizeof(exa_mapping), held);
  }
}

}  // namespace exa
