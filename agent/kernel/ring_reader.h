// Consumer of one BPF ring buffer, from a descriptor that may be inherited: works without any
// capability. The one consumer of its ring.
// Capture thread (data ring) or prober thread (control ring). Owned by the loop that drains it.
//
// The position is given back once a batch, not once a record: the programs read it under the ring's
// lock, and each store takes that cache line away from them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "exa/base/result.h"
#include "exa/base/time.h"
#include "exa/base/unique_fd.h"

namespace exa::kernel {

class RingReader {
 public:
  static Result<RingReader> open(int ring_fd);  // borrowed until the reader is gone

  RingReader(RingReader&& other) noexcept;
  RingReader& operator=(RingReader&&) = delete;
  ~RingReader();

  // Calls on_record(std::span<const std::byte>) for at most max_records records, which are borrowed
  // for the call. Returns how many there were.
  template <typename OnRecord>
  std::size_t consume(std::size_t max_records, OnRecord&& on_record) {
    std::uint64_t position = consumer().load(std::memory_order_relaxed);
    std::uint64_t given_back = position;
    const std::uint64_t produced = producer().load(std::memory_order_acquire);
    std::size_t count = 0;
    while (position < produced && count < max_records) {
      const std::byte* record = data_ + (position & mask_);
      const std::uint32_t word =
          std::atomic_ref(*reinterpret_cast<std::uint32_t*>(const_cast<std::byte*>(record)))
              .load(std::memory_order_acquire);
      if (word & kBusy) break;
      const std::uint32_t size_bytes = word & ~(kBusy | kDiscarded);
      if (!(word & kDiscarded)) {
        on_record(std::span<const std::byte>(record + kRecordHeaderBytes, size_bytes));
        ++count;
      }
      position += (size_bytes + kRecordHeaderBytes + 7) & ~std::uint64_t{7};
      if (position - given_back >= batch_bytes_) {
        consumer().store(position, std::memory_order_release);
        given_back = position;
      }
    }
    if (position != given_back) consumer().store(position, std::memory_order_release);
    return count;
  }

  // Sleeps until the programs wake the reader or the time is over. Records of the data ring wake
  // nobody below the fill mark, so under load this sleeps its whole time and finds a batch.
  void wait(Duration at_most) const;

  [[nodiscard]] std::uint64_t unread_bytes() const;

 private:
  static constexpr std::uint32_t kBusy = 1u << 31;
  static constexpr std::uint32_t kDiscarded = 1u << 30;
  static constexpr std::size_t kRecordHeaderBytes = 8;

  RingReader() = default;
  [[nodiscard]] std::atomic_ref<std::uint64_t> consumer() const {
    return std::atomic_ref(*consumer_position_);
  }
  [[nodiscard]] std::atomic_ref<std::uint64_t> producer() const {
    return std::atomic_ref(*producer_position_);
  }

  UniqueFd wakeups_;
  std::uint64_t* consumer_position_ = nullptr;
  std::uint64_t* producer_position_ = nullptr;  // a read-only page, as are the data behind it
  const std::byte* data_ = nullptr;             // mapped twice, so that no record is split
  std::uint64_t mask_ = 0;
  std::uint64_t batch_bytes_ = 0;
  std::size_t page_bytes_ = 0;
};

}  // namespace exa::kernel
