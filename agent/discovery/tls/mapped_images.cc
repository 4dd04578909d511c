#include "agent/discovery/tls/mapped_images.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace exa {
namespace {

// Of the kernel's own, over disks and memory; and those by which a virtual machine reads its
// hypervisor's files, which is as much a part of the machine as its disk.
constexpr std::array<std::string_view, 31> kKernelAlone = {
    "ext2",     "ext3",   "ext4",     "xfs",     "btrfs",   "bcachefs", "zfs",      "f2fs",
    "jfs",      "nilfs2", "reiserfs", "tmpfs",   "ramfs",   "rootfs",   "devtmpfs", "hugetlbfs",
    "squashfs", "erofs",  "cramfs",   "romfs",   "iso9660", "udf",      "vfat",     "msdos",
    "exfat",    "ntfs3",  "hfsplus",  "overlay", "aufs",    "virtiofs", "9p"};

struct MessageHead {
  std::uint32_t count;
  std::uint32_t flags;
};
enum : std::uint32_t { kLast = 1, kIncomplete = 2 };

template <std::size_t size>
std::string text_of(const char (&bytes)[size]) {
  return std::string(bytes, strnlen(bytes, size));
}

std::string hexadecimal(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
  return {digits, end};
}

}  // namespace

bool ImageCollector::add(const exa_mapping& mapping) {
  if (++looked_at_ > kMaxMappings) {
    complete_ = false;
    return false;
  }
  for (auto& known : images_) {
    if (known.inode != mapping.inode || known.device != mapping.device) continue;
    known.flags |= mapping.flags;
    return true;
  }
  if (images_.size() == kMaxImages) {
    complete_ = false;
    return true;
  }
  images_.push_back(mapping);
  return true;
}

std::vector<std::byte> encode_images(std::span<const exa_mapping> images, bool last,
                                     bool complete) {
  const MessageHead head{.count = static_cast<std::uint32_t>(images.size()),
                         .flags = (last ? kLast : 0u) | (complete ? 0u : kIncomplete)};
  std::vector<std::byte> bytes(sizeof head + images.size_bytes());
  std::memcpy(bytes.data(), &head, sizeof head);
  if (!images.empty()) std::memcpy(bytes.data() + sizeof head, images.data(), images.size_bytes());
  return bytes;
}

std::optional<MappedImage> image_of(const exa_mapping& mapping) {
  if (mapping.start >= mapping.end || mapping.inode == 0) return std::nullopt;
  return MappedImage{.start = mapping.start,
                     .end = mapping.end,
                     .file = {.device = mapping.device,
                              .inode = mapping.inode,
                              .mtime_ns = mapping.mtime_ns,
                              .size_bytes = mapping.size_bytes},
                     .is_program = (mapping.flags & EXA_MAPPING_PROGRAM) != 0,
                     .program_inode = mapping.program_inode,
                     .program_device = mapping.program_device,
                     .file_system = text_of(mapping.file_system),
                     .path = text_of(mapping.path)};
}

std::optional<ImagesMessage> decode_images(std::span<const std::byte> bytes) {
  MessageHead head{};
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.count > kImagesInMessage || head.flags > (kLast | kIncomplete) ||
      bytes.size() != sizeof head + head.count * sizeof(exa_mapping))
    return std::nullopt;
  ImagesMessage message{
      .images = {}, .last = (head.flags & kLast) != 0, .complete = (head.flags & kIncomplete) == 0};
  for (std::uint32_t i = 0; i < head.count; ++i) {
    const auto mapping = load_at<exa_mapping>(bytes, sizeof head + i * sizeof(exa_mapping));
    auto image = image_of(mapping);
    if (!image) return std::nullopt;
    message.images.push_back(std::move(*image));
  }
  return message;
}

bool is_read_by_the_kernel_alone(std::string_view file_system) {
  return std::ranges::find(kKernelAlone, file_system) != kKernelAlone.end();
}

std::string refusal(std::string_view file_system) {
  const bool in_user_space = file_system.starts_with("fuse");
  return "its file is on a file system " +
         std::string(in_user_space ? "in user space" : "whose reads may stall") + " (" +
         std::string(file_system) + "): probing it could stall the whole host";
}

Result<UniqueFd> open_process(std::uint32_t tgid) {
  const std::string path = "/proc/" + std::to_string(tgid);
  UniqueFd process(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!process.valid()) return fail_errno("open " + path, errno);
  return process;
}

std::string name_of_mapping(const MappedImage& image) {
  return "map_files/" + hexadecimal(image.start) + "-" + hexadecimal(image.end);
}

}  // namespace exa
