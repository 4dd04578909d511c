// Where libbpf's own words go. libbpf has one sink a process, so this is a process-wide setting:
// set once, before anything is loaded, by whoever owns the log.
#pragma once

#include <string>
#include <string_view>

namespace exa::kernel {

enum class LibbpfLevel { kWarning, kInformation, kDebug };
using LibbpfSink = void (*)(LibbpfLevel level, std::string_view line);

// Without a sink nothing is printed. Debug lines are only formatted if debug is true.
void route_libbpf_log(LibbpfSink sink, bool debug = false);

// The last warnings of libbpf on this thread since the last call, joined: the reason behind an
// errno.
std::string take_libbpf_warnings();

}  // namespace exa::kernel
