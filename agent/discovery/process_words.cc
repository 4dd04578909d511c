#include "agent/discovery/process_words.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "agent/discovery/proc_reader.h"

namespace exa {
namespace {

constexpr std::string_view kOfParent = "parent";

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
  append(bytes, words.program.name);
  append(bytes, words.program.folder);
  append(bytes, words.program.of_parent ? kOfParent : std::string_view{});
  return bytes;
}

std::optional<ProcessWords> decode_words(std::span<const std::byte> bytes) {
  auto service_name = take(bytes);
  if (!service_name) return std::nullopt;
  auto attributes = take(bytes);
  if (!attributes) return std::nullopt;
  auto name = take(bytes);
  if (!name) return std::nullopt;
  auto folder = take(bytes);
  if (!folder) return std::nullopt;
  const auto of_parent = take(bytes);
  if (!of_parent || !bytes.empty() || (!of_parent->empty() && *of_parent != kOfParent))
    return std::nullopt;
  return ProcessWords{.environment = {.service_name = std::move(*service_name),
                                      .resource_attributes = std::move(*attributes)},
                      .program = {.name = std::move(*name),
                                  .folder = std::move(*folder),
                                  .of_parent = !of_parent->empty()}};
}

ProcessWords read_words(int environ_fd, int cmdline_fd, const std::string& executable) {
  auto command = read_text(cmdline_fd, kMaxCommandBytes);
  // A word that the bound cut says nothing. One without an end, as titles leave it, may be whole.
  if (command.size() == kMaxCommandBytes) command.resize(command.rfind('\0') + 1);
  return {.environment = parse_environ(read_text(environ_fd, kMaxEnvironBytes)),
          .program = program_name(executable, command)};
}

}  // namespace exa
