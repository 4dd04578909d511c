// What the running agent counted of each service, what explains its last window, and what it found
// in each process, told through two files beside its lock: written by the pipeline and by the
// prober, read by the verbs `status` and `explain`.
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

// Window thread. One write in place, with a checksum, so that whoever reads meanwhile knows that he
// has met the writer. services: a JSON array; explanation: an object. False: it was not written.
[[nodiscard]] bool tell_windows(int fd, std::string_view services, std::string_view explanation);

// The text of that file, and what stands in it; an error where it is torn or none of ours.
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
