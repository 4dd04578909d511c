#include "agent/kernel/ring_reader.h"

#include <bpf/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace exa::kernel {

Result<RingReader::Ring> RingReader::Ring::open(int fd) {
  bpf_map_info known{};
  std::uint32_t size = sizeof(known);
  if (bpf_obj_get_info_by_fd(fd, &known, &size) != 0) {
    const int reason = errno;
    return fail_errno("the ring buffer's size could not be queried", reason);
  }
  if (known.type != BPF_MAP_TYPE_RINGBUF) return fail("the descriptor is not a ring buffer");

  Ring ring;
  ring.page_bytes_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  ring.mask_ = known.max_entries - 1;
  ring.batch_bytes_ = known.max_entries / 16;
  void* consumer = ::mmap(nullptr, ring.page_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) {
    const int reason = errno;
    return fail_errno("the ring buffer's consumer page could not be mapped", reason);
  }
  ring.consumer_position_ = static_cast<std::uint64_t*>(consumer);
  void* producer = ::mmap(nullptr, ring.page_bytes_ + 2 * (ring.mask_ + 1), PROT_READ, MAP_SHARED,
                          fd, static_cast<off_t>(ring.page_bytes_));
  if (producer == MAP_FAILED) {
    const int reason = errno;
    return fail_errno("the ring buffer's data could not be mapped", reason);
  }
  ring.producer_position_ = static_cast<std::uint64_t*>(producer);
  ring.data_ = static_cast<std::byte*>(producer) + ring.page_bytes_;
  ring.position_ = std::atomic_ref(*ring.consumer_position_).load(std::memory_order_acquire);
  ring.given_back_ = ring.position_;
  return ring;
}

RingReader::Ring::Ring(Ring&& other) noexcept
    : position_(other.position_),
      given_back_(other.given_back_),
      produced_(other.produced_),
      until_ns_(other.until_ns_),
      front_ns_(other.front_ns_),
      front_bytes_(other.front_bytes_),
      consumer_position_(std::exchange(other.consumer_position_, nullptr)),
      producer_position_(std::exchange(other.producer_position_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      mask_(other.mask_),
      batch_bytes_(other.batch_bytes_),
      page_bytes_(other.page_bytes_) {}

RingReader::Ring::~Ring() {
  if (consumer_position_) ::munmap(consumer_position_, page_bytes_);
  if (producer_position_) ::munmap(producer_position_, page_bytes_ + 2 * (mask_ + 1));
}

Result<RingReader> RingReader::open(std::span<const int> ring_fds) {
  if (ring_fds.empty()) return fail("there is no ring buffer to read");
  RingReader reader;
  reader.wakeups_.reset(::epoll_create1(EPOLL_CLOEXEC));
  reader.rings_.reserve(ring_fds.size());
  for (const int fd : ring_fds) {
    auto ring = Ring::open(fd);
    if (!ring) return std::unexpected(ring.error());
    reader.rings_.push_back(std::move(*ring));
    // Edge-triggered: bytes that lie in the ring do not end a wait, only a wake-up does.
    epoll_event readable{.events = EPOLLIN | EPOLLET, .data = {}};
    if (!reader.wakeups_.valid() ||
        ::epoll_ctl(reader.wakeups_.get(), EPOLL_CTL_ADD, fd, &readable) != 0) {
      const int reason = errno;
      return fail_errno("waiting for the ring buffer failed", reason);
    }
  }
  return reader;
}

void RingReader::wait(Duration at_most) const {
  epoll_event woken{};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  (void)::epoll_wait(wakeups_.get(), &woken, 1, static_cast<int>(milliseconds));
}

std::uint64_t RingReader::unread_bytes() const {
  std::uint64_t sum = 0;
  for (const Ring& ring : rings_)
    sum += ring.unread_bytes();
  return sum;
}

}  // namespace exa::kernel
