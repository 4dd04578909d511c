// Which open exchange of a server a request of its process is part of, by the thread: one that
// serves a request at a time, from reading it to answering it, sends nothing meanwhile that is not
// for it. Whether the threads of a process work like that nobody can tell beforehand, so it is
// known only after kProof of its answers came from the threads that had read their requests, and no
// longer once anything contradicts: two requests at a time in a thread, served or sent, or a sleep
// in epoll before the answer (an event loop), an answer by another one (Go, pools), a request of
// its own between two that it serves (a task in the background), or one that outlasts the answer.
//
// Event loops may go without any of that for long. They never read in a way that might sleep; but
// nor do many who serve one request at a time, with a timeout (Ruby, uWSGI, Apache) or after an
// epoll said that it was there (Tomcat). So where reads do not sleep the threads must have been
// seen kSeen times to wait for a single descriptor while they served, in a read or for the answer
// to a request of their own: an event loop waits for its listener as well.
//
// Capture thread; owned by ExchangePool. A place for each of the threads and of the processes that
// were seen last; while two threads that serve need the same one, nothing is known of any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/exchange/slot_pool.h"
#include "agent/why/thread_doing.h"

namespace exa {

class ThreadCalls {
 public:
  static constexpr std::size_t kPlaces = 4'096;
  static constexpr std::uint16_t kProof = 16;
  static constexpr std::uint16_t kSeen = 3;

  // How an exchange is followed; its end is to be told with that.
  enum class Followed : std::uint8_t { kNot, kInThread, kWithoutPlace };
  struct Call {
    Followed followed = Followed::kNot;
    std::uint32_t served = kNoSlot;  // the exchange that it is part of
    bool alone = false;  // as far as is known the thread waits for nothing else meanwhile
  };
  struct End {
    Followed followed = Followed::kNot;
    std::uint32_t tgid = 0;
    std::uint32_t begun_in = 0;
    std::uint32_t ended_in = 0;  // 0: not known
    bool complete = false;
  };

  // A thread read a request; 0: not known which. waits_itself: see CallFacts.
  Followed begin_served(std::uint32_t tgid, std::uint32_t thread, std::uint32_t slot,
                        bool waits_itself);
  void end_served(const End& end);
  // A thread sent a request.
  Call begin_call(std::uint32_t tgid, std::uint32_t thread);
  void end_call(const End& end);
  void was_seen(std::uint32_t thread, ThreadDoing doing);

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
    std::uint16_t seen = 0;  // waiting for one descriptor, while it served
    bool must_be_seen = false;
    bool refuted = false;
    [[nodiscard]] bool waits_for_one() const {
      return !refuted && (!must_be_seen || seen == kSeen);
    }
    [[nodiscard]] bool proven() const { return proofs == kProof && waits_for_one(); }
  };

  [[nodiscard]] Thread& place_of(std::uint32_t thread) { return threads_[thread % kPlaces]; }
  [[nodiscard]] Process& process(std::uint32_t tgid);
  void refute(std::uint32_t tgid) { process(tgid).refuted = true; }

  std::array<Thread, kPlaces> threads_{};
  std::array<Process, kPlaces> processes_{};
  std::size_t without_place_ = 0;
};

}  // namespace exa
