// The channel between the two processes as a state machine, each end against whoever the other
// might have become: a pipeline that was taken over says anything to the prober's end, a broken
// prober anything to the pipeline's; and the two real ends talk as production does, in any timing.
// An independent judge says of each message what must come of it. No descriptor stays behind.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tests/fuzz/channel_scenes.h"

namespace {

using namespace exa::fuzz;

constexpr int kMaxSteps = 400;

}  // namespace

// Input: which scene, then steps, each of what is done and with what: four bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Descriptors descriptors;
  if (size == 0) return 0;
  std::span<const std::uint8_t> input(data, size);
  const auto kind = input[0] % 3;
  input = input.subspan(1);
  const auto before = open_descriptors();
  {
    std::unique_ptr<Scene> scene;
    if (kind == 0) scene = std::make_unique<TakenOverPipeline>(descriptors);
    if (kind == 1) scene = std::make_unique<BrokenProber>(descriptors);
    if (kind == 2) scene = std::make_unique<HonestEnds>(descriptors);
    const auto own = open_descriptors();
    for (int i = 0; i < kMaxSteps && input.size() >= Step::kBytes; ++i) {
      scene->take(Step::of(input));
      input = input.subspan(Step::kBytes);
    }
    scene->finish();
    // What was received and not handed on is closed, whoever still talks.
    require(open_descriptors() <= own + scene->waiting());
  }
  require(open_descriptors() == before);
  return 0;
}
