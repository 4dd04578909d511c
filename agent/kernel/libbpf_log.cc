#include "agent/kernel/libbpf_log.h"

#include <bpf/libbpf.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace exa::kernel {
namespace {

constexpr std::size_t kMaxWarningBytes = 2048;

LibbpfSink g_sink = nullptr;
bool g_debug = false;
thread_local std::string t_warnings;

int on_libbpf_print(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG && !g_debug) return 0;
  std::array<char, 1024> line;
  const int size = std::vsnprintf(line.data(), line.size(), format, arguments);
  if (size <= 0) return 0;
  std::string_view text(line.data(), std::min<std::size_t>(size, line.size() - 1));
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  if (text.starts_with("libbpf: ")) text.remove_prefix(8);
  if (level == LIBBPF_WARN && t_warnings.size() + text.size() < kMaxWarningBytes) {
    if (!t_warnings.empty()) t_warnings += "; ";
    t_warnings += text;
  }
  if (g_sink) {
    g_sink(level == LIBBPF_WARN   ? LibbpfLevel::kWarning
           : level == LIBBPF_INFO ? LibbpfLevel::kInformation
                                  : LibbpfLevel::kDebug,
           text);
  }
  return size;
}

}  // namespace

void route_libbpf_log(LibbpfSink sink, bool debug) {
  g_sink = sink;
  g_debug = debug;
  libbpf_set_print(on_libbpf_print);
}

std::string take_libbpf_warnings() {
  return std::exchange(t_warnings, {});
}

}  // namespace exa::kernel
