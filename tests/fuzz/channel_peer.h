// What the fuzz target of the channel stands on: descriptors to pass, messages as production makes
// them, and an end of the channel that obeys no rule.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "agent/capture/target_message.h"
#include "agent/privilege/channel.h"
#include "agent/run/messages/heartbeat.h"
#include "exa/base/unique_fd.h"
#include "tests/fuzz/made_records.h"

namespace exa::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline std::size_t open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  require(folder != nullptr);
  std::size_t count = 0;
  while (::readdir(folder) != nullptr)
    ++count;
  ::closedir(folder);
  return count;
}

// One of each kind that a stranger may pass.
struct Descriptors {
  Descriptors() {
    constexpr std::string_view kDocument =
        R"({"Name":"/shop","Config":{"Image":"registry/shop:1","Labels":{}}})";
    document.reset(::memfd_create("document", MFD_CLOEXEC));
    require(::write(document.get(), kDocument.data(), kDocument.size()) ==
            static_cast<ssize_t>(kDocument.size()));
    huge.reset(::memfd_create("huge", MFD_CLOEXEC));
    require(::ftruncate(huge.get(), off_t{1} << 40) == 0);
    std::array<int, 2> ends{};
    require(::pipe2(ends.data(), O_CLOEXEC) == 0);
    endless.reset(ends[0]);
    writer.reset(ends[1]);
    folder.reset(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    nothing.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  [[nodiscard]] int one(std::uint8_t which) const {
    const std::array all{document.get(), huge.get(), endless.get(), folder.get(), nothing.get()};
    return all.at(which % all.size());
  }
  UniqueFd document, huge, endless, writer, folder, nothing;
};

// What is done, and with what.
struct Step {
  static constexpr std::size_t kBytes = 4;
  static Step of(std::span<const std::uint8_t> bytes) {
    return {bytes[0], bytes[1], bytes[2], bytes[3]};
  }
  std::uint8_t what, a, b, c;
};

// By the makers of production; of types that there are not, the frame alone.
inline ChannelMessage made_message(std::uint8_t type, std::uint8_t a, std::uint8_t b) {
  ChannelMessage message{.type = static_cast<ChannelMessageType>(type), .value = a};
  if (message.type == ChannelMessageType::kTarget)
    message.payload = encode_target(MadeRecords::target(a, b, "shop\npod\nteam"));
  if (message.type == ChannelMessageType::kTarget) message.value = b % 5;
  if (message.type == ChannelMessageType::kHeartbeat)
    write_heartbeat({.probes_placed = (a & 1) != 0, .totals = {a, b}}, message);
  // Values beyond what is meant.
  if (b == 0xff) message.value = ~std::uint64_t{a};
  return message;
}

// As it lies in the socket: what the judge looks at.
struct Packet {
  std::vector<std::byte> bytes;
  std::size_t descriptors = 0;

  // Of a whole message.
  [[nodiscard]] ChannelMessage message() const {
    ChannelMessage whole;
    std::memcpy(&whole, bytes.data(), sizeof whole);
    return whole;
  }
  [[nodiscard]] bool is_message() const {
    if (bytes.size() != sizeof(ChannelMessage)) return false;
    const auto type = static_cast<std::uint32_t>(message().type);
    return message().reserved == 0 && type >= 1 && type <= 7;
  }
};

// The other end in the hands of a stranger.
class HostilePeer {
 public:
  HostilePeer(UniqueFd socket, const Descriptors& descriptors)
      : socket_(std::move(socket)), descriptors_(descriptors) {}

  // What is in the socket and was not taken yet.
  std::deque<Packet> sent;
  [[nodiscard]] bool hung_up() const { return hung_up_; }

  void take(Step step) {
    switch (step.what % 12) {
      case 0:
        next_ = {};
        next_.bytes.resize(sizeof(ChannelMessage));
        {
          const auto message = made_message(step.a % 8, step.b, step.c);
          std::memcpy(next_.bytes.data(), &message, sizeof message);
        }
        send(next_);
        break;
      case 1:
        send(cut(next_, step.a | std::size_t{step.b} << 8));
        break;
      case 2:
        send(longer(next_, 1 + (step.a | std::size_t{step.b} << 8)));
        break;
      case 3:
        for (int i = 0; i <= step.a % 64; ++i)
          send(next_);
        break;
      case 4:
        if (held_.size() < 8) held_.push_back(next_);
        break;
      case 5:
        if (held_.empty()) break;
        send((step.a & 1) != 0 ? held_.back() : held_.front());
        if ((step.a & 1) != 0)
          held_.pop_back();
        else
          held_.pop_front();
        break;
      case 6:
        if (!next_.bytes.empty())
          next_.bytes[(step.a | std::size_t{step.b} << 8) % next_.bytes.size()] ^=
              std::byte{step.c};
        break;
      case 7:
        send_with(next_, step.a % 4, step.b);
        break;
      case 8:
        send({});
        break;
      case 9:
        for (int i = 0; i <= step.a % 64; ++i)
          read();
        break;
      case 10:
        ::shutdown(socket_.get(), step.a % 3);
        hung_up_ = hung_up_ || step.a % 3 != SHUT_RD;
        break;
      default:
        if ((step.a & 7) != 0) break;  // seldom
        socket_.reset();
        hung_up_ = true;
    }
  }

 private:
  static Packet cut(Packet packet, std::size_t length) {
    packet.bytes.resize(packet.bytes.empty() ? 0 : length % packet.bytes.size());
    return packet;
  }
  static Packet longer(Packet packet, std::size_t by) {
    packet.bytes.resize(packet.bytes.size() + by);
    return packet;
  }
  void send(const Packet& packet) { send_with(packet, 0, 0); }

  void send_with(Packet packet, std::size_t count, std::uint8_t which) {
    std::array<int, 3> passed{};
    for (auto& fd : passed) {
      // The own end too, which goes in a circle.
      fd = which % 6 == 5 ? socket_.get() : descriptors_.one(which);
      which = static_cast<std::uint8_t>(which + 1);
    }
    iovec part{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof passed)> room{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (count > 0) {
      header.msg_control = room.data();
      header.msg_controllen = CMSG_SPACE(count * sizeof(int));
      auto* const rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(count * sizeof(int));
      std::memcpy(CMSG_DATA(rights), passed.data(), count * sizeof(int));
    }
    packet.descriptors = count;
    if (::sendmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      sent.push_back(std::move(packet));
  }

  void read() {
    ChannelMessage message;
    if (::recv(socket_.get(), &message, sizeof message, MSG_DONTWAIT) < 0) return;
  }

  UniqueFd socket_;
  const Descriptors& descriptors_;
  Packet next_;
  std::deque<Packet> held_;
  bool hung_up_ = false;
};

}  // namespace exa::fuzz
