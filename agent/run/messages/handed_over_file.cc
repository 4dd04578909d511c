#include "agent/run/messages/handed_over_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "agent/config/config.h"
#include "agent/run/messages/checksum.h"

namespace exa {
namespace {

constexpr off_t kMaxFileBytes = off_t{16} << 20;

// Is it one that an agent made, and nobody else may write to?
bool is_ours(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
         status.st_nlink == 1 && (status.st_mode & 077) == 0;
}

}  // namespace

std::string handed_over_path(const Config& config) {
  return config.lock_path + ".connections";
}

Result<UniqueFd> open_handed_over_file(const Config& config) {
  const auto path = handed_over_path(config);
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  UniqueFd file(::open(path.c_str(), kFlags, 0600));
  if (file.valid() && !is_ours(file.get())) {
    ::unlink(path.c_str());
    file = UniqueFd(::open(path.c_str(), kFlags | O_EXCL, 0600));
  }
  if (!file.valid())
    return fail_errno(path + ": open connections will not be handed to the next agent", errno);
  return file;
}

std::string take_handed_over(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0 || status.st_size > kMaxFileBytes) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const auto bytes = ::pread(file, text.data(), text.size(), 0);
  if (::ftruncate(file, 0) != 0 || bytes != static_cast<ssize_t>(text.size())) return {};
  std::uint32_t sum = 0;
  if (text.size() < sizeof sum) return {};
  std::memcpy(&sum, text.data(), sizeof sum);
  text.erase(0, sizeof sum);
  return checksum(text) == sum ? text : std::string();
}

Result<> leave_handed_over(int file, std::string_view text) {
  const auto sum = checksum(text);
  const std::array<iovec, 2> parts{iovec{const_cast<std::uint32_t*>(&sum), sizeof sum},
                                   iovec{const_cast<char*>(text.data()), text.size()}};
  const auto bytes = ::writev(file, parts.data(), parts.size());
  if (bytes == static_cast<ssize_t>(sizeof sum + text.size())) return {};
  const int error = bytes < 0 ? errno : ENOSPC;
  [[maybe_unused]] const int emptied = ::ftruncate(file, 0);  // a part of a text is none, either
  return fail_errno("open connections cannot be handed to the next agent", error);
}

}  // namespace exa
