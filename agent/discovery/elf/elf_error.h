// Why a file could not be read as an ELF image. Each reason has a sentence for the status table.
#pragma once

#include <cstdint>
#include <string_view>

// X(enumerator, sentence)
#define EXA_ELF_ERRORS(X)                                                            \
  X(kNotRegularFile, "not a regular file")                                           \
  X(kNotElf, "not an ELF file")                                                      \
  X(k32Bit, "a 32-bit ELF file: only 64-bit programs are read")                      \
  X(kByteOrder, "a big-endian ELF file: only little-endian machines are read")       \
  X(kNotLoadable, "an ELF file that is neither a program nor a shared library")      \
  X(kMalformed, "its ELF structures contradict each other")                          \
  X(kTruncated, "its ELF structures point behind the end of the file")               \
  X(kReadFailed, "reading the file failed")                                          \
  X(kTooMuch, "reading it would take more bytes or memory than one file is allowed") \
  X(kTooSlow, "reading it took longer than one file is allowed")                     \
  X(kAbsent, "it has no table of this kind")                                         \
  X(kUnknownCode, "its code holds an instruction that the decoder does not know")    \
  X(kUnknownMachine, "made for a machine whose code is not understood")

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
