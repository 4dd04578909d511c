// The functions inside OpenSSL that its read and its write functions share.
//
// SSL_read and SSL_read_ex check an argument and hand on all of them to one function; so does the
// BIO of a TLS connection, which calls neither of the two. A probe there sees every read, costs one
// place instead of two, and a place that is cheap to probe.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

// Addresses of the public functions, as far as the library has them.
struct PublicFunctions {
  std::optional<std::uint64_t> plain;     // SSL_read, SSL_write
  std::optional<std::uint64_t> extended;  // SSL_read_ex, SSL_write_ex
  std::optional<std::uint64_t> peek;      // SSL_peek_ex, which must not lead there
};

// Address of int f(object, buffer, size, ...), which both call before anything else; for reads with
// the address where it says how much it moved as fourth argument. Nothing unless the code of both
// says so.
[[nodiscard]] std::optional<std::uint64_t> find_inner_read(ElfImage& image,
                                                           const PublicFunctions& functions);
[[nodiscard]] std::optional<std::uint64_t> find_inner_write(ElfImage& image,
                                                            const PublicFunctions& functions);

}  // namespace exa
