// What the running agent found in each process, told through a file beside its lock: written by the
// prober, printed by the verb `status`.
#pragma once

#include <string>

#include "agent/config/config.h"
#include "exa/base/result.h"

namespace exa {

std::string status_path(const Config& config);

// Prober thread. The file is whole at any time, for its owner's eyes only, and gone with the
// writer.
class StatusFile {
 public:
  explicit StatusFile(std::string path) : path_(std::move(path)) {}
  StatusFile(StatusFile&&) = delete;
  ~StatusFile() { remove(); }

  // Does nothing if the text is what stands there.
  Result<> write(const std::string& text);
  void remove();

 private:
  std::string path_;
  std::string written_;
};

// The exit code.
int print_status(const Config& config);

}  // namespace exa
