// What the running agent counted of each service and found in each process, told through two files
// beside its lock: written by the pipeline and by the prober, read by the verb `status`.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct Config;

std::string status_path(const Config& config);
std::string services_path(const Config& config);

// Beside the lock, for the pipeline to write; for its owner's eyes only.
Result<UniqueFd> open_services_file(const Config& config);

// The text of the services' file, which is written in its place, and what stands in it; an error
// where it is torn or none of ours.
std::string sealed(std::string_view json);
Result<std::string> unsealed(std::string_view text);

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

}  // namespace exa
