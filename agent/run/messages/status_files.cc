#include "agent/run/messages/status_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <memory>

#include "agent/config/config.h"
#include "agent/run/messages/checksum.h"

namespace exa {
namespace {

constexpr std::string_view kMark = "exemplar-agent services ";

}  // namespace

std::string status_path(const Config& config) {
  return config.lock_path + ".status";
}

std::string services_path(const Config& config) {
  return config.lock_path + ".services";
}

Result<UniqueFd> open_services_file(const Config& config) {
  const auto path = services_path(config);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid())
    return fail_errno(path + ": `status` and `explain` will show no services", errno);
  return file;
}

void StatusFile::remove() {
  if (!written_.empty()) ::unlink(path_.c_str());
  written_.clear();
}

Result<> StatusFile::write(const std::string& text) {
  if (text.empty() || text == written_) return {};
  const std::string next = path_ + ".next";
  const UniqueFd file(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return fail_errno(next + ": the status cannot be written", errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno(next + ": the status cannot be written", errno);
  if (::rename(next.c_str(), path_.c_str()) != 0)
    return fail_errno(path_ + ": the status cannot be written", errno);
  written_ = text;
  return {};
}

std::string sealed(std::string_view json) {
  return std::string(kMark) + std::to_string(json.size()) + " " + std::to_string(checksum(json)) +
         "\n" + std::string(json);
}

bool tell_windows(int fd, std::string_view services, std::string_view explanation) {
  std::string json = R"({"services":)";
  json.append(services).append(R"(,"explanation":)").append(explanation).append("}");
  const auto text = sealed(json);
  return ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

// A shorter text leaves the end of the longer one before it behind, so the length decides.
Result<std::string> unsealed(std::string_view text) {
  if (!text.starts_with(kMark)) return fail("contains no services");
  text.remove_prefix(kMark.size());
  const auto line_end = text.find('\n');
  if (line_end == std::string_view::npos) return fail("contains no services");
  const auto line = text.substr(0, line_end);
  text.remove_prefix(line_end + 1);
  std::uint64_t length = 0;
  std::uint64_t sum = 0;
  const auto* const end = std::to_address(line.end());
  const auto first = std::from_chars(std::to_address(line.begin()), end, length);
  if (first.ec != std::errc() || first.ptr == end) return fail("contains no services");
  const auto second = std::from_chars(first.ptr + 1, end, sum);
  if (second.ec != std::errc() || length > text.size() || checksum(text.substr(0, length)) != sum)
    return fail("is being written");
  return std::string(text.substr(0, length));
}

}  // namespace exa
