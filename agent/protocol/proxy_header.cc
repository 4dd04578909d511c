#include "agent/protocol/proxy_header.h"

#include <algorithm>

namespace exa {
namespace {

using namespace std::string_view_literals;

// A line of at most 107 bytes.
std::size_t text_header_bytes(std::string_view bytes) {
  constexpr std::size_t kLongest = 107;
  if (!bytes.starts_with("PROXY TCP4 ") && !bytes.starts_with("PROXY TCP6 ") &&
      !bytes.starts_with("PROXY UNKNOWN"))
    return 0;
  const auto end = bytes.substr(0, kLongest).find("\r\n");
  if (end != bytes.npos) return end + 2;
  return bytes.size() < kLongest ? bytes.size() : 0;
}

// Signature, version and command, family, and the length of what follows them.
std::size_t binary_header_bytes(std::string_view bytes) {
  constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
  constexpr std::size_t kFixed = 16;
  if (!bytes.starts_with(kSignature)) return 0;
  if (bytes.size() < kFixed) return bytes.size();
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[14])) << 8 |
                      static_cast<unsigned char>(bytes[15]);
  return std::min(kFixed + length, bytes.size());
}

}  // namespace

std::size_t proxy_header_bytes(std::string_view bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const auto rest = bytes.substr(total);
    const auto header = std::max(text_header_bytes(rest), binary_header_bytes(rest));
    if (header == 0) break;
    total += header;
  }
  return total;
}

}  // namespace exa
