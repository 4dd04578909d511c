// What a reader says that was taken over by what it parsed. Whatever decodes is within its bounds,
// and says the same when it is sent on.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "agent/discovery/process_words.h"
#include "agent/discovery/tls/mapped_images.h"
#include "agent/discovery/tls/plan_message.h"

namespace {

void check_plan(std::span<const std::byte> bytes) {
  const auto plan = exa::decode_plan(bytes);
  if (!plan) return;
  if (plan->sites.size() > exa::kMaxSites || plan->readable() == plan->sites.empty()) std::abort();
  const auto again = exa::decode_plan(exa::encode_plan(*plan));
  if (!again || again->sites != plan->sites || again->build_id != plan->build_id) std::abort();
}

void check_images(std::span<const std::byte> bytes) {
  const auto message = exa::decode_images(bytes);
  if (!message) return;
  if (message->images.size() > exa::kImagesInMessage) std::abort();
  for (const auto& image : message->images)
    if (image.start >= image.end || image.file.inode == 0 ||
        image.path.size() > EXA_MAPPING_PATH_BYTES)
      std::abort();
}

void check_words(std::span<const std::byte> bytes) {
  const auto words = exa::decode_words(bytes);
  if (words && exa::decode_words(exa::encode_words(*words)) != words) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 3) {
    case 0:
      check_plan(bytes);
      break;
    case 1:
      check_images(bytes);
      break;
    default:
      check_words(bytes);
  }
  return 0;
}
