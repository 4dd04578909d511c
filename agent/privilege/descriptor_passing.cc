#include "agent/privilege/descriptor_passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace exa {
namespace {

struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxPassed * sizeof(int))> bytes{};
};

}  // namespace

bool send_with_descriptors(int socket, std::span<const std::byte> message,
                           std::span<const int> passed) {
  iovec part{.iov_base = const_cast<std::byte*>(message.data()), .iov_len = message.size()};
  Ancillary ancillary;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!passed.empty()) {
    const auto count = std::min(passed.size(), kMaxPassed);
    header.msg_control = ancillary.bytes.data();
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    auto* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(rights), passed.data(), count * sizeof(int));
  }
  for (;;) {
    const auto sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    return sent == static_cast<ssize_t>(message.size());
  }
}

ReceivedMessage receive_with_descriptors(int socket, std::span<std::byte> room) {
  ReceivedMessage received;
  iovec part{.iov_base = room.data(), .iov_len = room.size()};
  Ancillary ancillary;
  for (;;) {
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = ancillary.bytes.data();
    header.msg_controllen = ancillary.bytes.size();
    received.size = ::recvmsg(socket, &header, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    if (received.size < 0 && errno == EINTR) continue;
    if (received.size < 0) return received;
    const auto* const rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
      return received;
    const auto count = std::min((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int), kMaxPassed);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof fd);
      received.passed[i].reset(fd);
    }
    return received;
  }
}

}  // namespace exa
