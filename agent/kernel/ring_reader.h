// Consumer of BPF ring buffers, from descriptors that may be inherited: works without any
// capability. The one consumer of its rings.
// Capture thread (data rings) or prober thread (control ring). Owned by the loop that drains it.
//
// Of several rings the records come in the order of their times, as from one: whatever a record
// caused is delivered after it, on whichever CPU either happened. For that a turn ends at the
// moment it began: a record still being written then cannot have caused one that is older than the
// turn.
//
// Positions are given back once a batch, not once a record: the programs read them under the ring's
// lock, and each store takes that cache line away from them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exa/abi/event.h"
#include "exa/base/result.h"
#include "exa/base/time.h"
#include "exa/base/unique_fd.h"

namespace exa::kernel {

class RingReader {
 public:
  // Descriptors are borrowed until the reader is gone.
  static Result<RingReader> open(std::span<const int> ring_fds);
  static Result<RingReader> open(int ring_fd) { return open(std::span(&ring_fd, 1)); }

  RingReader(RingReader&&) noexcept = default;
  RingReader& operator=(RingReader&&) = delete;

  // Calls on_record(std::span<const std::byte>) for at most max_records records, which are borrowed
  // for the call. Returns how many there were.
  template <typename OnRecord>
  std::size_t consume(std::size_t max_records, OnRecord&& on_record) {
    const std::uint64_t turn_began_ns = rings_.size() > 1 ? monotonic_now().ns : UINT64_MAX;
    for (Ring& ring : rings_)
      ring.look(turn_began_ns);
    std::size_t count = 0;
    while (count < max_records) {
      Ring* oldest = &rings_.front();
      for (Ring& ring : rings_)
        if (ring.front_ns() < oldest->front_ns()) oldest = &ring;
      if (oldest->empty()) break;
      on_record(oldest->front());
      ++count;
      oldest->pop();
    }
    for (Ring& ring : rings_)
      ring.give_back();
    return count;
  }

  // Sleeps until the programs wake the reader or the time is over. Records of a data ring wake
  // nobody below the fill mark, so under load this sleeps its whole time and finds a batch.
  void wait(Duration at_most) const;

  [[nodiscard]] std::uint64_t unread_bytes() const;

 private:
  class Ring {
   public:
    static Result<Ring> open(int fd);
    Ring(Ring&& other) noexcept;
    Ring& operator=(Ring&&) = delete;
    ~Ring();

    // Takes in what is there now, as far as it is older than the end of the turn.
    void look(std::uint64_t until_ns) {
      produced_ = std::atomic_ref(*producer_position_).load(std::memory_order_acquire);
      until_ns_ = until_ns;
      find_front();
    }
    [[nodiscard]] bool empty() const { return front_ns_ == UINT64_MAX; }
    [[nodiscard]] std::uint64_t front_ns() const { return front_ns_; }
    [[nodiscard]] std::span<const std::byte> front() const {
      return {data_ + (position_ & mask_) + kRecordHeaderBytes, front_bytes_};
    }
    void pop() {
      skip(front_bytes_);
      if (position_ - given_back_ >= batch_bytes_) give_back();
      find_front();
    }
    void give_back() {
      if (given_back_ == position_) return;
      std::atomic_ref(*consumer_position_).store(position_, std::memory_order_release);
      given_back_ = position_;
    }
    [[nodiscard]] std::uint64_t unread_bytes() const {
      return std::atomic_ref(*producer_position_).load(std::memory_order_acquire) - position_;
    }

   private:
    static constexpr std::uint32_t kBusy = 1u << 31;
    static constexpr std::uint32_t kDiscarded = 1u << 30;
    static constexpr std::size_t kRecordHeaderBytes = 8;

    Ring() = default;
    void skip(std::uint32_t size_bytes) {
      position_ += (size_bytes + kRecordHeaderBytes + 7) & ~std::uint64_t{7};
    }
    void find_front() {
      front_ns_ = UINT64_MAX;
      while (position_ < produced_) {
        std::byte* record = data_ + (position_ & mask_);
        const std::uint32_t word = std::atomic_ref(*reinterpret_cast<std::uint32_t*>(record))
                                       .load(std::memory_order_acquire);
        if (word & kBusy) return;
        front_bytes_ = word & ~kDiscarded;
        if (word & kDiscarded) {
          skip(front_bytes_);
          continue;
        }
        // Every record begins with a header; the ring's writers are our own programs.
        const auto* header = reinterpret_cast<const exa_event_header*>(record + kRecordHeaderBytes);
        if (header->ktime_ns < until_ns_) front_ns_ = header->ktime_ns;
        return;
      }
    }

    std::uint64_t position_ = 0;
    std::uint64_t given_back_ = 0;
    std::uint64_t produced_ = 0;
    std::uint64_t until_ns_ = 0;
    std::uint64_t front_ns_ = UINT64_MAX;
    std::uint32_t front_bytes_ = 0;
    std::uint64_t* consumer_position_ = nullptr;
    std::uint64_t* producer_position_ = nullptr;  // a read-only page, as are the data behind it
    std::byte* data_ = nullptr;                   // mapped twice, so that no record is split
    std::uint64_t mask_ = 0;
    std::uint64_t batch_bytes_ = 0;
    std::size_t page_bytes_ = 0;
  };

  RingReader() = default;

  UniqueFd wakeups_;
  std::vector<Ring> rings_;  // at least one
};

}  // namespace exa::kernel
