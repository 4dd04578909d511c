// A Retry-After header: whatever it says, the pause is within its bounds.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "exporters/queue/retry_after.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  exa::WallTime now{1'700'000'000'000'000'000ull};
  if (size >= 8) {
    std::memcpy(&now.ns, bytes, 8);
    bytes += 8;
    size -= 8;
  }
  const auto pause = exa::parse_retry_after({reinterpret_cast<const char*>(bytes), size}, now);
  if (pause && (pause->count() < 0 || *pause > exa::kLongestRetryAfter)) std::abort();
  return 0;
}
