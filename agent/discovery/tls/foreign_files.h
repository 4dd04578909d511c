// How files of strangers are looked at: by readers, which may hang in place of the prober. What
// comes back was read or parsed by them, and decoded as foreign.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string_view>

#include "agent/discovery/elf/file_identity.h"
#include "agent/discovery/tls/attach_plan.h"
#include "agent/discovery/tls/mapped_images.h"

namespace exa {

// X(enumerator, sentence)
#define EXA_UNREAD(X)                                                                      \
  X(kHeldUp, "held up: the agent's reader got no answer in time")                          \
  X(kOwnerHoldsUp, "not read: readers of its user's other files or processes are held up") \
  X(kTooManyHeldUp, "not read: too many readers are already held up")                      \
  X(kOtherFile, "no longer the file that was examined, or not one to be read")             \
  X(kRefused, "on a file system whose reads may stall")                                    \
  X(kNoReader, "not read: no reader could be started, or it exited")

enum class Unread : std::uint8_t {
#define EXA_X(name, sentence) name,
  EXA_UNREAD(EXA_X)
#undef EXA_X
};
[[nodiscard]] constexpr std::string_view sentence(Unread reason) {
  switch (reason) {
#define EXA_X(name, text) \
  case Unread::name:      \
    return text;
    EXA_UNREAD(EXA_X)
#undef EXA_X
  }
  return "unknown";
}

struct ReadFile {
  FileIdentity file;  // as the kernel tells it
  AttachPlan plan;
};

struct ForeignFiles {
  // What the process maps. owner: its user, who has a share of the readers.
  std::function<std::expected<MappedImages, Unread>(std::uint32_t tgid, std::uint32_t owner)>
      mapped;
  // An O_PATH descriptor of the mapped file; not valid if it is not mapped any more.
  std::function<std::expected<UniqueFd, Unread>(int process_fd, const MappedImage& image,
                                                std::uint32_t owner)>
      place;
  // The plan of the file at an O_PATH descriptor, which is the expected file if one is expected,
  // and lies on a file system that the kernel reads alone: proven, whatever lies there by now.
  std::function<std::expected<ReadFile, Unread>(int place_fd, const FileIdentity* expected,
                                                ReadLimits limits, std::uint32_t owner)>
      read;
};

}  // namespace exa
