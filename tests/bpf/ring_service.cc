// An HTTP server that receives and sends by io_uring only: ring_service PORT. For tests/e2e.
#include <liburing.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "exa/base/unique_fd.h"

namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

int complete(io_uring& ring) {
  io_uring_cqe* done = nullptr;
  if (::io_uring_submit(&ring) != 1 || ::io_uring_wait_cqe(&ring, &done) != 0) return -1;
  const int result = done->res;
  ::io_uring_cqe_seen(&ring, done);
  return result;
}

}  // namespace

int main(int count, char** words) {
  io_uring ring{};
  if (count != 2 || ::io_uring_queue_init(8, &ring, 0) < 0) return 1;
  const exa::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 8) != 0)
    return 1;
  for (;;) {
    const exa::UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 4096> request;
    do {
      ::io_uring_prep_recv(::io_uring_get_sqe(&ring), client.get(), request.data(), request.size(),
                           0);
      if (complete(ring) <= 0) break;
      ::io_uring_prep_send(::io_uring_get_sqe(&ring), client.get(), kAnswer.data(), kAnswer.size(),
                           0);
    } while (complete(ring) > 0);
  }
}
