#include "tests/bpf/tls_library.h"

#include <fcntl.h>

#include <fstream>
#include <sstream>
#include <string>

#include "exa/abi/tls.h"

// What a library would export.
extern "C" [[gnu::noinline, gnu::used]] long exa_test_tls_write(const void* object,
                                                                const void* buffer, long size) {
  asm volatile("" : : "r"(object), "r"(buffer) : "memory");
  return size;
}

namespace exa::test {
namespace {

std::uint64_t file_offset_of(const void* function) {
  const auto address = reinterpret_cast<std::uint64_t>(function);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::string rights;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end >> rights >> offset;
    if (begin <= address && address < end) return address - begin + offset;
  }
  return 0;
}

}  // namespace

void TlsLibrary::SetUp() {
  Capture::SetUp();
  if (IsSkipped()) return;
  if (!kernel::probe_kernel_features().has(kernel::FeatureId::kUprobeMulti))
    GTEST_SKIP() << "this kernel has no uprobe_multi links";
  start(config_);
  auto tls = kernel::TlsPrograms::load(*programs_, config_);
  ASSERT_TRUE(tls) << tls.error().text;
  tls_.emplace(std::move(*tls));
  const kernel::TlsProbe probe{
      .kind = EXA_TLS_PROBE_WRITE,
      .shape = EXA_TLS_SHAPE_SIZED,
      .file_offset = file_offset_of(reinterpret_cast<const void*>(&exa_test_tls_write))};
  const UniqueFd own(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  auto attached = tls_->attach(own.get(), std::span(&probe, 1));
  ASSERT_TRUE(attached) << attached.error().text;
  probes_.emplace(std::move(*attached));
}

void TlsLibrary::TearDown() {
  probes_.reset();
  tls_.reset();
  Capture::TearDown();
}

void TlsLibrary::write(std::uint64_t connection, std::string_view text) {
  exa_test_tls_write(reinterpret_cast<const void*>(connection * 64), text.data(),
                     static_cast<long>(text.size()));
}

}  // namespace exa::test
