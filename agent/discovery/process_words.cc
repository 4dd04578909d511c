#include "agent/discovery/process_words.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "agent/discovery/proc_reader.h"

namespace exa {
namespace {

void append(std::vector<std::byte>& to, std::string_view word) {
  if (word.size() > kMaxWordBytes) word = {};
  const auto size = static_cast<std::uint32_t>(word.size());
  const auto at = to.size();
  to.resize(at + sizeof size + word.size());
  std::memcpy(to.data() + at, &size, sizeof size);
  if (!word.empty()) std::memcpy(to.data() + at + sizeof size, word.data(), word.size());
}

std::optional<std::string> take(std::span<const std::byte>& bytes) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes = bytes.subspan(sizeof size);
  if (size > kMaxWordBytes || size > bytes.size()) return std::nullopt;
  std::string word(reinterpret_cast<const char*>(bytes.data()), size);
  bytes = bytes.subspan(size);
  return word;
}

}  // namespace

std::vector<std::byte> encode_words(const ProcessWords& words) {
  std::vector<std::byte> bytes;
  append(bytes, words.environment.service_name);
  append(bytes, words.environment.resource_attributes);
  append(bytes, words.script);
  return bytes;
}

std::optional<ProcessWords> decode_words(std::span<const std::byte> bytes) {
  auto service_name = take(bytes);
  if (!service_name) return std::nullopt;
  auto attributes = take(bytes);
  if (!attributes) return std::nullopt;
  auto script = take(bytes);
  if (!script || !bytes.empty()) return std::nullopt;
  return ProcessWords{.environment = {.service_name = std::move(*service_name),
                                      .resource_attributes = std::move(*attributes)},
                      .script = std::move(*script)};
}

ProcessWords read_words(int environ_fd, int cmdline_fd, const std::string& executable) {
  return {.environment = parse_environ(read_text(environ_fd, kMaxEnvironBytes)),
          .script = script_name(executable, read_text(cmdline_fd, kMaxProcTextBytes))};
}

}  // namespace exa
