#include "agent/run/pipeline/recording.h"

#include <algorithm>
#include <utility>

namespace exa {

Result<Recording> Recording::begin(UniqueFd file, const HashKey& seed, WallClockOffset offset,
                                   std::string_view policies) {
  Recording recording;
  if (!file.valid()) return recording;
  EventLogHeader header{.seed = {}, .start_offset = offset};
  std::ranges::transform(seed, header.seed.begin(),
                         [](std::uint8_t byte) { return std::byte{byte}; });
  auto log = EventLogWriter::create(std::move(file), header);
  if (!log) return std::unexpected(log.error());
  recording.log_.emplace(std::move(*log));
  recording.policies(policies);
  return recording;
}

std::optional<std::string> Recording::flush() {
  if (!log_) return std::nullopt;
  log_->flush();
  if (!log_->stopped()) return std::nullopt;
  return "recording stopped: " + log_->error()->text;
}

}  // namespace exa
