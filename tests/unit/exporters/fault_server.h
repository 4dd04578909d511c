// A TCP server that answers HTTP requests as badly as a test wants. Port 0 of 127.0.0.1.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exa/base/unique_fd.h"

namespace exa {

struct FaultyAnswer {
  std::string bytes;     // written as they are
  bool endless = false;  // then 'x' until the client goes
  bool one_byte_a_pause = false;
  enum class Then { kKeepAlive, kClose, kReset, kHold } then = Then::kKeepAlive;
};

inline std::string http_answer(int status, const std::string& headers = "",
                               const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) +
         " Words\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
         body;
}

class FaultServer {
 public:
  // Called with the number of the request, from 0; several at once.
  using Script = std::function<FaultyAnswer(int)>;

  explicit FaultServer(Script script) : script_(std::move(script)) {
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 64);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FaultServer() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : connections_)
      thread.join();
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int connections() const { return accepted_; }

  // Heads and bodies of the requests so far.
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  bool wait_for_requests(std::size_t count,
                         std::chrono::seconds within = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, within, [&] { return requests_.size() >= count; });
  }

 private:
  void accept_all() {
    while (!stopping_) {
      UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) return;
      ++accepted_;
      connections_.emplace_back([this, fd = peer.release()] { serve(UniqueFd(fd)); });
    }
  }

  // False at the end of the connection, or of the test.
  bool readable(int fd) const {
    while (!stopping_) {
      pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 20) > 0) return true;
    }
    return false;
  }

  bool read_request(int fd, std::string& request) {
    std::size_t wanted = std::string::npos;
    while (wanted == std::string::npos || request.size() < wanted) {
      char bytes[16384];
      if (!readable(fd)) return false;
      const ssize_t got = ::recv(fd, bytes, sizeof(bytes), 0);
      if (got <= 0) return false;
      request.append(bytes, static_cast<std::size_t>(got));
      const auto end = request.find("\r\n\r\n");
      const auto length = request.find("Content-Length: ");
      if (wanted == std::string::npos && end != std::string::npos) {
        std::size_t body = 0;
        if (length < end) std::from_chars(request.data() + length + 16, request.data() + end, body);
        wanted = end + 4 + body;
      }
    }
    return true;
  }

  void serve(UniqueFd peer) {
    for (std::string request; read_request(peer.get(), request); request.clear()) {
      int number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = static_cast<int>(requests_.size());
        requests_.push_back(request);
      }
      came_.notify_all();
      const FaultyAnswer answer = script_(number);
      if (!write_answer(peer.get(), answer)) return;
      using Then = FaultyAnswer::Then;
      if (answer.then == Then::kHold) readable(peer.get());
      if (answer.then == Then::kReset) {
        const linger abrupt{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
      }
      if (answer.then != Then::kKeepAlive) return;
    }
  }

  bool write_answer(int fd, const FaultyAnswer& answer) {
    const auto put = [&](const char* bytes, std::size_t size) {
      return ::send(fd, bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
    };
    if (answer.one_byte_a_pause) {
      for (const char byte : answer.bytes) {
        if (stopping_ || !put(&byte, 1)) return false;
        pollfd gone{.fd = fd, .events = 0, .revents = 0};
        if (::poll(&gone, 1, 100) > 0) return false;
      }
      return true;
    }
    if (!put(answer.bytes.data(), answer.bytes.size())) return false;
    const std::string more(8192, 'x');
    while (answer.endless && !stopping_)
      if (!put(more.data(), more.size())) return false;
    return true;
  }

  const Script script_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> requests_;
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace exa
