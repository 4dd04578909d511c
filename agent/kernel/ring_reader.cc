#include "agent/kernel/ring_reader.h"

#include <bpf/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace exa::kernel {

Result<RingReader> RingReader::open(int ring_fd) {
  bpf_map_info known{};
  std::uint32_t size = sizeof(known);
  if (bpf_obj_get_info_by_fd(ring_fd, &known, &size) != 0) {
    const int reason = errno;
    return fail_errno("the ring buffer's size could not be asked", reason);
  }
  if (known.type != BPF_MAP_TYPE_RINGBUF) return fail("the descriptor is not of a ring buffer");

  RingReader reader;
  reader.page_bytes_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  reader.mask_ = known.max_entries - 1;
  reader.batch_bytes_ = known.max_entries / 16;

  void* consumer =
      ::mmap(nullptr, reader.page_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
  if (consumer == MAP_FAILED) {
    const int reason = errno;
    return fail_errno("the ring buffer's consumer page could not be mapped", reason);
  }
  reader.consumer_position_ = static_cast<std::uint64_t*>(consumer);
  void* producer = ::mmap(nullptr, reader.page_bytes_ + 2 * (reader.mask_ + 1), PROT_READ,
                          MAP_SHARED, ring_fd, static_cast<off_t>(reader.page_bytes_));
  if (producer == MAP_FAILED) {
    const int reason = errno;
    return fail_errno("the ring buffer's data could not be mapped", reason);
  }
  reader.producer_position_ = static_cast<std::uint64_t*>(producer);
  reader.data_ = static_cast<const std::byte*>(producer) + reader.page_bytes_;

  // Edge-triggered: bytes that lie in the ring do not end a wait, only a wake-up does.
  reader.wakeups_.reset(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event readable{.events = EPOLLIN | EPOLLET, .data = {}};
  if (!reader.wakeups_.valid() ||
      ::epoll_ctl(reader.wakeups_.get(), EPOLL_CTL_ADD, ring_fd, &readable) != 0) {
    const int reason = errno;
    return fail_errno("the ring buffer could not be waited for", reason);
  }
  return reader;
}

RingReader::RingReader(RingReader&& other) noexcept
    : wakeups_(std::move(other.wakeups_)),
      consumer_position_(std::exchange(other.consumer_position_, nullptr)),
      producer_position_(std::exchange(other.producer_position_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      mask_(other.mask_),
      batch_bytes_(other.batch_bytes_),
      page_bytes_(other.page_bytes_) {}

RingReader::~RingReader() {
  if (consumer_position_) ::munmap(consumer_position_, page_bytes_);
  if (producer_position_) ::munmap(producer_position_, page_bytes_ + 2 * (mask_ + 1));
}

void RingReader::wait(Duration at_most) const {
  epoll_event woken{};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  (void)::epoll_wait(wakeups_.get(), &woken, 1, static_cast<int>(milliseconds));
}

std::uint64_t RingReader::unread_bytes() const {
  const std::uint64_t read = consumer().load(std::memory_order_relaxed);
  return producer().load(std::memory_order_acquire) - read;
}

}  // namespace exa::kernel
