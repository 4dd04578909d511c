// A made-up Go program: as little of one as discovery looks at, in each of the forms that the
// function table has had. Real ones of old releases cannot be built here.
#pragma once

#include "tests/support/elf_samples.h"

namespace exa::test {

enum class GoForm { k116, k118, k120 };

struct SyntheticGo {
  static constexpr std::uint64_t kBase = 0x400000;
  static constexpr std::uint64_t kText = 0x1000;  // file offsets, and from kBase
  static constexpr std::uint64_t kRead = 0x1020;
  static constexpr std::uint64_t kWrite = 0x1060;
  static constexpr std::uint64_t kTextEnd = 0x10a0;
  static constexpr std::uint64_t kTable = 0x2000;
  static constexpr std::uint64_t kBuild = 0x3000;
  static constexpr std::uint64_t kModule = 0x3100;
  static constexpr std::uint64_t kSize = 0x4000;
};

// Go 1.18 tells its text address in the table's header, later ones only in the module record.
inline void write_synthetic_go(MemoryFile& file, GoForm form, std::string_view version) {
  using S = SyntheticGo;
  file.resize(0);
  file.resize(S::kSize);
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  file.put(0, header);
  constexpr std::uint64_t kPlaces[] = {0, S::kTable, S::kBuild, S::kSize};
  constexpr Elf64_Word kFlags[] = {PF_R | PF_X, PF_R, PF_R | PF_W};
  for (std::size_t i = 0; i < 3; ++i) {
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = kFlags[i];
    segment.p_offset = kPlaces[i];
    segment.p_vaddr = S::kBase + kPlaces[i];
    segment.p_filesz = segment.p_memsz = kPlaces[i + 1] - kPlaces[i];
    file.put(sizeof header + i * sizeof segment, segment);
  }

  // Stack check, two returns with a constant full of return bytes between them, padding.
  const std::string code("\x49\x3b\x66\x10\x76\x08\xc3\xb8\xc3\xc3\xc3\xc3\xc3", 13);
  file.write(S::kText, std::string(S::kTextEnd - S::kText, '\xcc'));
  file.write(S::kText, "\xc3");
  file.write(S::kRead, code);
  file.write(S::kWrite, code);

  const bool offsets = form != GoForm::k116;
  const std::uint64_t entries[] = {S::kText, S::kRead, S::kWrite, S::kTextEnd};
  const std::string names("first\0crypto/tls.(*Conn).Read\0crypto/tls.(*Conn).Write\0", 56);
  const std::uint32_t name_at[] = {0, 6, 30};
  constexpr std::uint64_t kNames = 72, kUnits = 136, kFunctions = 256, kRecords = 128;
  const auto table = [](std::uint64_t at) { return S::kTable + at; };
  file.put<std::uint32_t>(table(0), form == GoForm::k116   ? 0xfffffffa
                                    : form == GoForm::k118 ? 0xfffffff0
                                                           : 0xfffffff1);
  file.put<std::uint16_t>(table(6), 0x0801);
  file.put<std::uint64_t>(table(8), 3);
  file.put<std::uint64_t>(table(24), form == GoForm::k118 ? S::kBase + S::kText : 0);
  const std::uint64_t tables = offsets ? 32 : 24;
  file.put<std::uint64_t>(table(tables), kNames);
  file.put<std::uint64_t>(table(tables + 8), kUnits);
  file.put<std::uint64_t>(table(tables + 32), kFunctions);
  file.write(table(kNames), names);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t record = kRecords + i * 40;
    if (offsets) {
      const auto entry = static_cast<std::uint32_t>(entries[i] - S::kText);
      file.put(table(kFunctions + i * 8), entry);
      if (i == 3) break;
      file.put(table(kFunctions + i * 8 + 4), static_cast<std::uint32_t>(record));
      file.put(table(kFunctions + record), entry);
      file.put(table(kFunctions + record + 4), name_at[i]);
    } else {
      file.put(table(kFunctions + i * 16), S::kBase + entries[i]);
      if (i == 3) break;
      file.put(table(kFunctions + i * 16 + 8), record);
      file.put(table(kFunctions + record), S::kBase + entries[i]);
      file.put(table(kFunctions + record + 8), name_at[i]);
    }
  }

  file.write(S::kBuild, {"\xff Go buildinf:\x08\x02", 16});
  file.put(S::kBuild + 32, static_cast<unsigned char>(version.size()));
  file.write(S::kBuild + 33, version);
  if (form == GoForm::k118) return;
  file.put(S::kModule, S::kBase + S::kTable);
  file.put(S::kModule + 160, S::kBase + S::kText);
  file.put(S::kModule + 168, S::kBase + S::kTextEnd);
  file.put(S::kModule + 176, S::kBase + S::kText);
}

}  // namespace exa::test
