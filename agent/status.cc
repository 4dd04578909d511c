#include "agent/status.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "agent/cli.h"
#include "agent/privilege/single_instance.h"
#include "agent/status_table.h"
#include "exa/base/unique_fd.h"

namespace exa {

std::string status_path(const Config& config) {
  return config.lock_path + ".status";
}

void StatusFile::remove() {
  if (!written_.empty()) ::unlink(path_.c_str());
  written_.clear();
}

Result<> StatusFile::write(const std::string& text) {
  if (text.empty() || text == written_) return {};
  const std::string next = path_ + ".next";
  const UniqueFd file(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return fail_errno(next + ": the status cannot be written", errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno(next + ": the status cannot be written", errno);
  if (::rename(next.c_str(), path_.c_str()) != 0)
    return fail_errno(path_ + ": the status cannot be written", errno);
  written_ = text;
  return {};
}

int print_status(const Config& config) {
  if (const auto lock = lock_instance(config.lock_path); lock && lock->acquired()) {
    std::fprintf(stderr, "exemplar-agent: no agent runs that holds %s\n", config.lock_path.c_str());
    return kExitFailure;
  }
  std::ifstream file(status_path(config));
  std::string text(kMaxStatusBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto table = status_table(text);
  if (!table) {
    std::fprintf(stderr,
                 "exemplar-agent: %s tells nothing: the agent does not read TLS, or you may not "
                 "read the file\n",
                 status_path(config).c_str());
    return kExitFailure;
  }
  std::fwrite(table->data(), 1, table->size(), stdout);
  return kExitOk;
}

}  // namespace exa
