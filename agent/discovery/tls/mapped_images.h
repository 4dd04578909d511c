// The files whose code a process has mapped: its executable and its libraries, wherever it found
// them, deleted ones and memfds included. By the files on which probes land: what replicas of one
// container image map is one file, whatever overlay each of them sees it through.
//
// Told by the kernel's iterator (exa/abi/mapping.h), which a reader reads and passes on in messages
// of the form given here; the prober believes none of it more than the decoding proves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/elf/file_identity.h"
#include "exa/abi/mapping.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct MappedImage {
  std::uint64_t start = 0;  // of the first mapping of this file
  std::uint64_t end = 0;
  FileIdentity file;        // device in the kernel's numbering, see exa_tls_file
  bool is_program = false;  // what the process was started with
  std::uint64_t program_inode = 0;
  std::uint32_t program_device = 0;
  std::string file_system;
  std::string path;  // as the process sees it; for display, and never trusted
};

inline constexpr std::size_t kMaxImages = 1024;  // of one process
inline constexpr std::size_t kImagesInMessage = 64;
inline constexpr std::size_t kMaxMappings = 64 * 1024;  // looked through for these

// In the reader: collects records, one a file, in order of address.
class ImageCollector {
 public:
  // False: enough.
  bool add(const exa_mapping& mapping);
  [[nodiscard]] const std::vector<exa_mapping>& images() const { return images_; }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  std::vector<exa_mapping> images_;
  std::size_t looked_at_ = 0;
  bool complete_ = true;
};

struct ImagesMessage {
  static constexpr std::size_t kMaxBytes = 8 + kImagesInMessage * sizeof(exa_mapping);
  std::vector<MappedImage> images;
  bool last = false;
  bool complete = true;
};
// At most kImagesInMessage images.
std::vector<std::byte> encode_images(std::span<const exa_mapping> images, bool last, bool complete);
std::optional<ImagesMessage> decode_images(std::span<const std::byte> bytes);
// Nothing where the record contradicts itself.
std::optional<MappedImage> image_of(const exa_mapping& mapping);

struct MappedImages {
  std::vector<MappedImage> images;
  bool complete = true;  // false: mappings were left out
};

// Reads of such files wait for nobody outside the kernel: a probe on any other could hold up every
// process of the host, since the kernel reads the file with forks locked out.
[[nodiscard]] bool is_read_by_the_kernel_alone(std::string_view file_system);
// Why a file on another is not probed.
[[nodiscard]] std::string refusal(std::string_view file_system);

// A handle on one process: once its pid is reused, every use of the handle fails with ESRCH.
[[nodiscard]] Result<UniqueFd> open_process(std::uint32_t tgid);

// Where the mapped file is found below the process' folder in /proc. To be opened with O_PATH:
// whatever file it is by now, nobody is asked for it.
[[nodiscard]] std::string name_of_mapping(const MappedImage& image);

}  // namespace exa
