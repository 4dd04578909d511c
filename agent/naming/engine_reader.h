// Reads the names of a container out of a file that its engine wrote and EngineFiles opened: in the
// process without privilege, for whoever starts a container chooses texts in it.
// Capture thread, owned by the pipeline's loop. A file is at most 1 MiB, Podman's list of all
// containers 8 MiB and parsed anew only when it changed; a larger one gives no names.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>

#include "agent/model/engine_document.h"
#include "agent/naming/engine_documents.h"

namespace exa {

inline constexpr std::size_t kMaxEngineFileBytes = 1u << 20;
inline constexpr std::size_t kMaxPodmanFileBytes = 8u << 20;

class EngineReader {
 public:
  // file: a descriptor of a regular file, read from its beginning. Empty if it is not that document
  // or does not know the container.
  ContainerNames names_in(EngineDocument document, int file, const std::string& container_id);

 private:
  struct PodmanList {
    struct stat version{};
    NamesById names;
  };
  std::optional<PodmanList> podman_;
};

}  // namespace exa
