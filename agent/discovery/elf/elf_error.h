// Why a file could not be read as an ELF image. Each reason has a sentence for the status table.
#pragma once

#include <cstdint>
#include <string_view>

// X(enumerator, sentence)
#define EXA_ELF_ERRORS(X)                                                           \
  X(kNotRegularFile, "not a regular file")                                          \
  X(kNotElf, "not an ELF file")                                                     \
  X(k32Bit, "a 32-bit ELF file: only 64-bit programs are supported")                \
  X(kByteOrder, "a big-endian ELF file: only little-endian machines are supported") \
  X(kNotLoadable, "an ELF file that is neither a program nor a shared library")     \
  X(kMalformed, "its ELF structures contradict each other")                         \
  X(kTruncated, "its ELF structures point past the end of the file")                \
  X(kReadFailed, "reading the file failed")                                         \
  X(kTooMuch, "reading it would exceed the bytes or memory allowed for one file")   \
  X(kTooSlow, "reading it exceeded the time allowed for one file")                  \
  X(kAbsent, "it has no table of this kind")                                        \
  X(kUnknownCode, "its code contains an instruction unknown to the decoder")        \
  X(kUnknownMachine, "built for a machine whose code is not supported")

namespace exa {

enum class ElfError : std::uint8_t {
#define EXA_X(name, sentence) name,
  EXA_ELF_ERRORS(EXA_X)
#undef EXA_X
};

constexpr std::string_view sentence(ElfError error) {
  switch (error) {
#define EXA_X(name, text) \
  case ElfError::name:    \
    return text;
    EXA_ELF_ERRORS(EXA_X)
#undef EXA_X
  }
  return "unknown";
}

}  // namespace exa
