#include "tests/bpf/loaded_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "exa/base/unique_fd.h"

namespace exa::test {
namespace {

void zero(int map_fd, std::uint32_t entries, std::uint32_t value_size) {
  const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
  const std::vector<std::byte> nothing(cpus * ((value_size + 7) / 8 * 8));
  for (std::uint32_t key = 0; key < entries; ++key)
    EXPECT_EQ(bpf_map_update_elem(map_fd, &key, nothing.data(), BPF_ANY), 0);
}

void clear(int map_fd, std::uint32_t key_size) {
  std::vector<std::byte> key(key_size);
  while (bpf_map_get_next_key(map_fd, nullptr, key.data()) == 0)
    if (bpf_map_delete_elem(map_fd, key.data()) != 0 && errno != ENOENT) return;
}

// Of this process; all others that the tests look at are made by them.
void forget_process(int map_fd) {
  const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  const int process = self.get();
  EXPECT_TRUE(bpf_map_delete_elem(map_fd, &process) == 0 || errno == ENOENT);
}

}  // namespace

void forget_everything(const kernel::CapturePrograms& programs) {
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, &programs.object()) {
    const int fd = bpf_map__fd(map);
    switch (bpf_map__type(map)) {
      case BPF_MAP_TYPE_PERCPU_ARRAY:
        zero(fd, bpf_map__max_entries(map), bpf_map__value_size(map));
        break;
      case BPF_MAP_TYPE_HASH:
      case BPF_MAP_TYPE_LRU_HASH:
        clear(fd, bpf_map__key_size(map));
        break;
      case BPF_MAP_TYPE_TASK_STORAGE:
        forget_process(fd);
        break;
      default:
        break;
    }
  }
}

}  // namespace exa::test
