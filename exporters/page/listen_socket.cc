#include "exporters/page/listen_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace exa {
namespace {

constexpr int kBacklog = 256;

struct AddressesReleaser {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesReleaser>;

std::string what_to_do(int error) {
  switch (error) {
    case EADDRINUSE:
      return "; another program, perhaps another agent, uses this port: choose a free one with "
             "--openmetrics HOST:PORT, or switch the endpoint off with --openmetrics off";
    case EACCES:
      return "; ports below 1024 need a privilege the agent has given up: choose a higher one with "
             "--openmetrics HOST:PORT";
    case EADDRNOTAVAIL:
      return "; this host has no such address: choose one of its own, or 0.0.0.0 for all, with "
             "--openmetrics HOST:PORT";
    default:
      return "; choose another address with --openmetrics HOST:PORT";
  }
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& host, std::uint16_t port) {
  const bool ipv6_text = host.find(':') != std::string::npos;
  const std::string place = (ipv6_text ? "[" + host + "]" : host) + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                 std::to_string(port).c_str(), &hints, &found);
  if (code != 0)
    return fail("cannot serve metrics on " + place + ": " + ::gai_strerror(code) +
                "; give an address of this host with --openmetrics HOST:PORT");
  const Addresses addresses(found);

  int error = 0;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    UniqueFd socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) {
      error = errno;
      continue;
    }
    const int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (::bind(socket.get(), one->ai_addr, one->ai_addrlen) == 0 &&
        ::listen(socket.get(), kBacklog) == 0)
      return socket;
    error = errno;
  }
  const auto refused = fail_errno("cannot serve metrics on " + place, error);
  return fail(refused.error().text + what_to_do(error));
}

std::uint16_t bound_port(const UniqueFd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace exa
