// Messages with descriptors over a SOCK_SEQPACKET socket (unix(7), SCM_RIGHTS).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>

#include "exa/base/unique_fd.h"

namespace exa {

inline constexpr std::size_t kMaxPassed = 2;  // descriptors with one message

// False and errno if it did not go out whole.
bool send_with_descriptors(int socket, std::span<const std::byte> message,
                           std::span<const int> passed = {});

struct ReceivedMessage {
  ssize_t size = -1;  // of the message, even where it is longer than the room; 0: closed
  std::array<UniqueFd, kMaxPassed> passed;
};
ReceivedMessage receive_with_descriptors(int socket, std::span<std::byte> room);

}  // namespace exa
