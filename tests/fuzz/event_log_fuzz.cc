// Record files and target messages of any content.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "agent/capture/event_decoder.h"
#include "agent/capture/event_log.h"
#include "agent/capture/target_message.h"
#include "agent/config/policy_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(exa::decode_target(bytes));

  exa::UniqueFd file(::memfd_create("event_log", MFD_CLOEXEC));
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  ::lseek(file.get(), 0, SEEK_SET);
  auto reader = exa::EventLogReader::open(std::move(file));
  if (!reader) return 0;
  std::uint64_t last_offset = 0;
  while (true) {
    const auto frame = reader->next();
    if (!frame || !*frame) break;
    if ((*frame)->offset_bytes <= last_offset) std::abort();
    last_offset = (*frame)->offset_bytes;
    switch ((*frame)->kind) {
      case exa::FrameKind::kRingRecord:
        static_cast<void>(exa::decode_event((*frame)->payload));
        break;
      case exa::FrameKind::kTargetMessage:
        static_cast<void>(exa::decode_target((*frame)->payload));
        break;
      case exa::FrameKind::kClockOffset:
        if (!(*frame)->clock_offset()) std::abort();
        break;
      case exa::FrameKind::kWindowTick:
        if (!(*frame)->window_tick()) std::abort();
        break;
      case exa::FrameKind::kPolicies:
        static_cast<void>(exa::parse_policies(
            {reinterpret_cast<const char*>((*frame)->payload.data()), (*frame)->payload.size()}));
        break;
      case exa::FrameKind::kWindowMerged:
        if (!(*frame)->payload.empty()) std::abort();
        break;
    }
  }
  if (reader->offset_bytes() > size) std::abort();
  return 0;
}
