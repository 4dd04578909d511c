// The sentences of the verb `check`. Pure but for what_is_taken().
#pragma once

#include <expected>
#include <string>

#include "agent/discovery/tls/foreign_files.h"
#include "exa/base/result.h"

namespace exa {

struct Config;
namespace kernel {
struct KernelFeatures;
}

// What the kernel offers, a line each, and how the agent would capture.
std::string features_text(const kernel::KernelFeatures& features);

// Why TLS stays unread on this kernel; empty where it does not.
std::string unread_tls_text(const kernel::KernelFeatures& features);

// What a reader found in a library of the host.
std::string library_text(const std::string& path, const std::expected<ReadFile, Unread>& found);

// How little of the host a pipeline that was taken over would reach. landlock: its version.
std::string confinement_text(const Config& config, const Result<int>& landlock);

// How results come to where somebody looks at them.
std::string ways_out_text(const Config& config);

// What a second agent would lack, and the exit code of `run` then.
struct Taken {
  int exit_code;
  std::string text;
};
Taken what_is_taken(const Config& config);

}  // namespace exa
