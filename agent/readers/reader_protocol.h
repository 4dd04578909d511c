// What the prober asks its readers, and how they say that they opened a file. The answers to the
// questions have their forms where their values are: process_words, mapped_images, plan_message.
#pragma once

#include <array>
#include <cstdint>

#include "agent/privilege/zygote.h"

namespace exa {

enum class Question : std::uint32_t {
  kWords = 1,             // attached: cmdline and, where it may be opened, environ of a process
  kImages = 2,            // attached: an iterator over its mappings
  kPlan = 3,              // attached: the place of a file; answered twice, see OpenedFile
  kPlaceOfPublished = 4,  // attached: an iterator over where; answered by an address, 0: nowhere
  kPublished = 5,         // attached: mem of a process; what it publishes at that address
};

struct ReaderQuestion {
  Question question = Question::kWords;
  std::uint32_t limit_ms = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t thorough = 0;
  std::uint64_t address = 0;
  std::array<char, 256> executable{};  // terminated
};

// The file is open, and mapped at this address so that the prober can have the kernel tell which
// file that is. Reading begins with the prober's next message, whatever it says.
struct OpenedFile {
  std::uint64_t address = 0;  // 0: it could not be opened or mapped
};

// The whole life of a reader; its exit code.
int be_reader(ReaderKind kind, int socket);

}  // namespace exa
