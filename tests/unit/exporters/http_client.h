// A plain blocking HTTP client: what it sends is written by the test, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "exa/base/unique_fd.h"

namespace exa {

inline UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.reset();
  return fd;
}

inline bool send_text(const UniqueFd& fd, std::string_view text) {
  return ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// All that comes until the other end closes, or nothing comes for 10 s.
inline std::string read_all(const UniqueFd& fd) {
  std::string all;
  char bytes[65536];
  pollfd ready{.fd = fd.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ready, 1, 10'000) > 0) {
    const ssize_t got = ::recv(fd.get(), bytes, sizeof(bytes), 0);
    if (got <= 0) break;
    all.append(bytes, static_cast<std::size_t>(got));
  }
  return all;
}

struct HttpReply {
  std::string head;
  std::string body;
  [[nodiscard]] int status() const {
    return head.size() < 12 ? 0 : std::atoi(head.substr(9, 3).c_str());
  }
};

inline HttpReply ask(std::uint16_t port, const std::string& request_line,
                     const std::string& headers = "") {
  const UniqueFd fd = connect_to(port);
  send_text(fd, request_line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
  const std::string all = read_all(fd);
  const auto end = all.find("\r\n\r\n");
  if (end == std::string::npos) return {.head = all, .body = {}};
  return {.head = all.substr(0, end + 2), .body = all.substr(end + 4)};
}

}  // namespace exa
