#include "agent/privilege/single_instance.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace exa {
namespace {

std::string pid_in(int fd) {
  std::array<char, 16> text{};
  const auto got = pread(fd, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < got && text[static_cast<std::size_t>(i)] >= '0' &&
                      text[static_cast<std::size_t>(i)] <= '9';
       ++i)
    pid += text[static_cast<std::size_t>(i)];
  return pid;
}

}  // namespace

LockHolder lock_holder(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid() || flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return {};
  return {.held = true, .process = pid_in(file.get())};
}

Result<InstanceLock> lock_instance(const std::string& path) {
  // O_NOFOLLOW: a link that someone placed there never makes us write elsewhere.
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!file.valid())
    return fail_errno("cannot open the lock file " + path + " (set lock_file to another path)",
                      errno);
  struct stat status{};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail("the lock file " + path + " is not a regular file");
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("cannot lock " + path, errno);
    return InstanceLock{.file = UniqueFd(), .other_process = pid_in(file.get())};
  }
  const auto pid = std::to_string(getpid()) + "\n";
  // Only the sentence of a second instance needs the pid: the lock holds without it.
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return InstanceLock{.file = std::move(file), .other_process = {}};
  return InstanceLock{.file = std::move(file), .other_process = {}};
}

}  // namespace exa
