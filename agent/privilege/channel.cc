#include "agent/privilege/channel.h"

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

// One descriptor at most fits, so one at most was installed.
UniqueFd taken_from(msghdr& header) {
  const auto* rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(sizeof(int)))
    return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return UniqueFd(fd);
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
      header.msg_controllen = ancillary.bytes.size();
    }
    const auto got = recvmsg(socket_.get(), &header, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ChannelOutcome::kWouldBlock;
    if (got <= 0) return ChannelOutcome::kClosed;
    if (attached != nullptr) *attached = taken_from(header);
    const auto type = static_cast<std::uint32_t>(message.type);
    const bool known = type >= static_cast<std::uint32_t>(ChannelMessageType::kTarget) &&
                       type <= static_cast<std::uint32_t>(ChannelMessageType::kShareLosses);
    return got == static_cast<ssize_t>(sizeof message) && known ? ChannelOutcome::kDone
                                                                : ChannelOutcome::kMalformed;
  }
}

}  // namespace exa
