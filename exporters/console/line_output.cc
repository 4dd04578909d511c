#include "exporters/console/line_output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace exa {

Printed WaitingOutput::write(std::string text, Settled settled, Clock::time_point) {
  const std::lock_guard lock(mutex_);
  std::string_view rest = text;
  while (this->error() == 0 && !rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    const int error = errno;
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (error == EAGAIN) {
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (error != EINTR) {
      error_ = error;
    }
  }
  const bool written = this->error() == 0;
  if (settled) settled(written);
  return written ? Printed::kWritten : Printed::kLost;
}

bool colours_wanted(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace exa
