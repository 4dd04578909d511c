#include "agent/run/messages/handed_over_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "agent/config/config.h"

namespace exa {
namespace {

constexpr off_t kMaxFileBytes = off_t{16} << 20;

}  // namespace

std::string handed_over_path(const Config& config) {
  return config.lock_path + ".connections";
}

Result<UniqueFd> open_handed_over_file(const Config& config) {
  const auto path = handed_over_path(config);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid())
    return fail_errno(path + ": what is known of connections will not outlive the agent", errno);
  return file;
}

std::string take_handed_over(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kMaxFileBytes)
    return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const auto bytes = ::pread(file, text.data(), text.size(), 0);
  if (::ftruncate(file, 0) != 0 || bytes != static_cast<ssize_t>(text.size())) return {};
  return text;
}

Result<> leave_handed_over(int file, std::string_view text) {
  const auto bytes = ::pwrite(file, text.data(), text.size(), 0);
  if (bytes == static_cast<ssize_t>(text.size())) return {};
  const int error = bytes < 0 ? errno : ENOSPC;
  [[maybe_unused]] const int emptied = ::ftruncate(file, 0);  // a part of a text is none, either
  return fail_errno("what is known of connections cannot be left for the next agent", error);
}

}  // namespace exa
