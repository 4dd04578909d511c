#include "agent/privilege/channel.h"

#include <sys/socket.h>

#include <cerrno>

namespace exa {

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return fail_errno("cannot create the channel between the two processes", errno);
  return std::pair(Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1])));
}

ChannelOutcome Channel::send(const ChannelMessage& message) {
  for (;;) {
    const auto sent = ::send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(sizeof message)) return ChannelOutcome::kDone;
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
      return ChannelOutcome::kWouldBlock;
    return ChannelOutcome::kClosed;
  }
}

ChannelOutcome Channel::receive(ChannelMessage& message) {
  for (;;) {
    const auto got = recv(socket_.get(), &message, sizeof message, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ChannelOutcome::kWouldBlock;
    if (got <= 0) return ChannelOutcome::kClosed;
    const auto type = static_cast<std::uint32_t>(message.type);
    const bool known = type >= static_cast<std::uint32_t>(ChannelMessageType::kTarget) &&
                       type <= static_cast<std::uint32_t>(ChannelMessageType::kReady);
    return got == static_cast<ssize_t>(sizeof message) && known ? ChannelOutcome::kDone
                                                                : ChannelOutcome::kMalformed;
  }
}

}  // namespace exa
