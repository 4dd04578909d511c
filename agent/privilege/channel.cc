#include "agent/privilege/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace exa {

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return fail_errno("cannot create the channel between the two processes", errno);
  return std::pair(Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1])));
}

namespace {

// Room for one descriptor (unix(7), SCM_RIGHTS).
struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

// The kernel installs as many descriptors as fit, and two fit into what CMSG_SPACE(sizeof(int))
// rounds up to: of these only as much is offered as one takes.
constexpr std::size_t kRoomForOne = CMSG_LEN(sizeof(int));

UniqueFd taken_from(msghdr& header) {
  const auto* rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(sizeof(int)))
    return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return UniqueFd(fd);
}

// Nothing was read: there is nobody any more, or only an empty message.
bool hung_up(int socket) {
  pollfd watched{.fd = socket, .events = POLLRDHUP, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

bool is_known(const ChannelMessage& message) {
  const auto type = static_cast<std::uint32_t>(message.type);
  return type >= static_cast<std::uint32_t>(ChannelMessageType::kTarget) &&
         type <= static_cast<std::uint32_t>(ChannelMessageType::kPolicies);
}

}  // namespace

ChannelOutcome Channel::send(const ChannelMessage& message, int attached) {
  iovec part{.iov_base = const_cast<ChannelMessage*>(&message), .iov_len = sizeof message};
  Ancillary ancillary;
  for (;;) {
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (attached >= 0) {
      header.msg_control = ancillary.bytes.data();
      header.msg_controllen = ancillary.bytes.size();
      auto* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(rights), &attached, sizeof attached);
    }
    const auto sent = sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(sizeof message)) return ChannelOutcome::kDone;
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == ETOOMANYREFS && attached >= 0) {
      attached = -1;
      continue;
    }
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
      return ChannelOutcome::kWouldBlock;
    return ChannelOutcome::kClosed;
  }
}

ChannelOutcome Channel::receive(ChannelMessage& message, UniqueFd* attached) {
  iovec part{.iov_base = &message, .iov_len = sizeof message};
  Ancillary ancillary;
  for (;;) {
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (attached != nullptr) {
      header.msg_control = ancillary.bytes.data();
      header.msg_controllen = kRoomForOne;
    }
    const auto got = recvmsg(socket_.get(), &header, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ChannelOutcome::kWouldBlock;
    if (got < 0) return ChannelOutcome::kClosed;
    UniqueFd taken = attached != nullptr ? taken_from(header) : UniqueFd();
    if (got == 0 && hung_up(socket_.get())) return ChannelOutcome::kClosed;
    // A descriptor that was left out where one may come: this process has no number free for it.
    const bool too_many =
        (header.msg_flags & MSG_CTRUNC) != 0 && (attached == nullptr || taken.valid());
    if (got != static_cast<ssize_t>(sizeof message) || message.reserved != 0 ||
        !is_known(message) || too_many)
      return ChannelOutcome::kMalformed;
    if (attached != nullptr) *attached = std::move(taken);
    return ChannelOutcome::kDone;
  }
}

}  // namespace exa
