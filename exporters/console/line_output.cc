#include "exporters/console/line_output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace exa {

bool LineOutput::write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  while (this->error() == 0 && !text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    const int error = errno;
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (error == EAGAIN) {
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (error != EINTR) {
      error_ = error;
    }
  }
  return this->error() == 0;
}

bool colours_wanted(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace exa
