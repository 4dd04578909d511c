// What the running agent counted of each service and found in each process, told through two files
// beside its lock: written by the pipeline and by the prober, printed by the verb `status`.
#pragma once

#include <string>

#include "agent/cli.h"
#include "agent/config/config.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

std::string status_path(const Config& config);
std::string services_path(const Config& config);

// Beside the lock, for the pipeline to write; for its owner's eyes only.
Result<UniqueFd> open_services_file(const Config& config);

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
int print_status(const Config& config, StatusForm form);

}  // namespace exa
