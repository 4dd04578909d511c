// Which open exchange of a server a request of its process is part of, by the thread: one that
// serves a request at a time, from reading it to answering it, sends nothing meanwhile that is not
// for it. Whether the threads of a process work like that nobody can tell beforehand, so it is
// known only after kProof of its answers came from the threads that had read their requests, and no
// longer once anything contradicts: two requests at a time in a thread, served or sent, or a sleep
// in epoll before the answer (an event loop), an answer by another one (Go, pools), a request of
// its own between two that it serves (a task in the background), or one that outlasts the answer.
//
// Capture thread; owned by ExchangePool. A place for each of the threads and of the processes that
// were seen last; while two threads that serve need the same one, nothing is known of any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/exchange/slot_pool.h"

namespace exa {

class ThreadCalls {
 public:
  static constexpr std::size_t kPlaces = 4'096;
  static constexpr std::uint16_t kProof = 16;

  // How an exchange is followed; its end is to be told with that.
  enum class Followed : std::uint8_t { kNot, kInThread, kWithoutPlace };
  struct Call {
    Followed followed = Followed::kNot;
    std::uint32_t served = kNoSlot;  // the exchange that it is part of
  };
  struct End {
    Followed followed = Followed::kNot;
    std::uint32_t tgid = 0;
    std::uint32_t begun_in = 0;
    std::uint32_t ended_in = 0;  // 0: not known
    bool complete = false;
  };

  // A thread read a request; 0: not known which.
  Followed begin_served(std::uint32_t tgid, std::uint32_t thread, std::uint32_t slot);
  void end_served(const End& end);
  // A thread sent a request.
  Call begin_call(std::uint32_t tgid, std::uint32_t thread);
  void end_call(const End& end);
  // A thread was seen to wait for any of several descriptors.
  void awaits_events(std::uint32_t thread);

 private:
  struct Thread {
    std::uint32_t number = 0;
    std::uint32_t tgid = 0;
    std::uint32_t slot = kNoSlot;  // of what it serves, if that is one
    std::uint32_t serves = 0;
    std::uint32_t calls = 0;  // of its own, begun while it served
    bool may_go_on = false;   // with a request whose exchange ended before its answer
    [[nodiscard]] bool idle() const { return serves == 0 && calls == 0; }
  };
  struct Process {
    std::uint32_t tgid = 0;
    std::uint16_t proofs = 0;
    bool refuted = false;
  };

  [[nodiscard]] Thread& place_of(std::uint32_t thread) { return threads_[thread % kPlaces]; }
  [[nodiscard]] Process& process(std::uint32_t tgid);
  void refute(std::uint32_t tgid) { process(tgid).refuted = true; }

  std::array<Thread, kPlaces> threads_{};
  std::array<Process, kPlaces> processes_{};
  std::size_t without_place_ = 0;
};

}  // namespace exa
