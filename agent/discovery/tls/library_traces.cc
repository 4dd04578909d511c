#include "agent/discovery/tls/library_traces.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace exa {
namespace {

struct Trace {
  std::string_view text;
  TlsVerdict verdict;
};

// Source paths that error messages and panics carry into every build. The NUL ends the path, which
// tells OpenSSL's C from BoringSSL's C++.
constexpr Trace kTraces[] = {
    {std::string_view("ssl/ssl_lib.cc\0", 15), TlsVerdict::kBoringSslStripped},
    {std::string_view("ssl/ssl_lib.c\0", 14), TlsVerdict::kOpenSslStripped},
    {"/rustls-", TlsVerdict::kRustls},
};
constexpr std::size_t kLongest = 16;
constexpr std::size_t kChunkBytes = 256 * 1024;

bool holds(std::span<const std::byte> bytes, std::string_view text) {
  return memmem(bytes.data(), bytes.size(), text.data(), text.size()) != nullptr;
}

}  // namespace

TlsVerdict find_library_trace(ElfImage& image) {
  // Panic paths lie in read-only constants; old linkers put these beside the code.
  std::uint64_t bytes_left = kMaxTraceBytes;
  std::vector<std::byte> buffer(kChunkBytes);
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_W) != 0) continue;
    const std::uint64_t length = std::min(segment.file_bytes, bytes_left);
    bytes_left -= length;
    for (std::uint64_t at = 0; at < length;) {
      const auto piece =
          static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, length - at));
      const auto bytes = std::span(buffer).first(piece);
      if (!image.reader().read(segment.offset + at, bytes)) return TlsVerdict::kNoLibrary;
      for (const Trace& trace : kTraces)
        if (holds(bytes, trace.text)) return trace.verdict;
      if (at + piece == length) break;
      at += piece - kLongest;  // a trace may lie across the border
    }
  }
  return TlsVerdict::kNoLibrary;
}

}  // namespace exa
