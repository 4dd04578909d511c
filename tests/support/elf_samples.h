// Real and made-up ELF files for tests, and what binutils and the Go tools say about them.
#pragma once

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "exa/base/unique_fd.h"

namespace exa::test {

inline constexpr const char* kLibSsl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";
inline constexpr const char* kLibGnuTls = "/usr/lib/x86_64-linux-gnu/libgnutls.so.30";
inline constexpr const char* kNode = "/usr/bin/node";

inline UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

// Standard output of a shell command; nothing if it fails.
inline std::optional<std::string> output_of(const std::string& command) {
  std::FILE* const pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer;
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  return pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

struct OracleSymbol {
  std::uint64_t vaddr = 0;
  std::uint64_t size_bytes = 0;
};
// Defined functions by name, as readelf prints them; table is "--dyn-syms" or "-s".
inline std::map<std::string, OracleSymbol> readelf_functions(const std::string& path,
                                                             const std::string& table) {
  std::map<std::string, OracleSymbol> symbols;
  std::istringstream lines(output_of("readelf -W " + table + " " + path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, value, size, type, binding, visibility, section, name;
    words >> number >> value >> size >> type >> binding >> visibility >> section >> name;
    if (type != "FUNC" || section == "UND") continue;
    name.resize(std::min(name.find('@'), name.size()));
    symbols[name] = {std::stoull(value, nullptr, 16), std::stoull(size, nullptr, 0)};
  }
  return symbols;
}

// File offset of an address by the program headers that readelf prints.
inline std::uint64_t readelf_offset(const std::string& path, std::uint64_t vaddr) {
  std::istringstream lines(output_of("readelf -W -l " + path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string type, offset, address, physical, file_size;
    words >> type >> offset >> address >> physical >> file_size;
    if (type != "LOAD") continue;
    const auto start = std::stoull(address, nullptr, 16);
    if (vaddr >= start && vaddr - start < std::stoull(file_size, nullptr, 16))
      return vaddr - start + std::stoull(offset, nullptr, 16);
  }
  return 0;
}

// A directory that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "exa-elf-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

// A file in memory that can be written, cut and opened like one on disk.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("sample", MFD_CLOEXEC)) {}
  static MemoryFile copy_of(const std::string& path) {
    MemoryFile file;
    std::ifstream in(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    file.write(0, bytes);
    return file;
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void write(std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put <= 0) std::abort();
      offset += static_cast<std::uint64_t>(put);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  template <typename T>
  void put(std::uint64_t offset, const T& value) {
    write(offset, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  template <typename T>
  [[nodiscard]] T get(std::uint64_t offset) const {
    T value{};
    if (pread(fd_.get(), &value, sizeof value, static_cast<off_t>(offset)) != sizeof value)
      std::abort();
    return value;
  }
  void resize(std::uint64_t size_bytes) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0) std::abort();
  }
  [[nodiscard]] std::uint64_t size() const {
    struct stat status{};
    fstat(fd_.get(), &status);
    return static_cast<std::uint64_t>(status.st_size);
  }
  // As sstrip leaves it: nothing tells of sections any more.
  void drop_sections() {
    auto header = get<Elf64_Ehdr>(0);
    header.e_shoff = 0;
    header.e_shnum = header.e_shstrndx = 0;
    put(0, header);
  }

 private:
  UniqueFd fd_;
};

// A program with count functions named function_<i>, at 16 bytes each, in a sparse file of the
// given size whose tables lie at its end.
inline void write_synthetic_elf(MemoryFile& file, std::uint64_t count, std::uint64_t size_bytes) {
  constexpr std::uint64_t kBase = 0x400000;
  constexpr std::uint64_t kTextAt = 0x1000;
  std::string strings(1, '\0');
  std::vector<Elf64_Sym> symbols(1);
  symbols.reserve(count + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(strings.size());
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = 1;
    symbol.st_value = kBase + kTextAt + i * 16;
    symbol.st_size = 16;
    symbols.push_back(symbol);
    strings += "function_of_a_long_namespace::function_" + std::to_string(i);
    strings += '\0';
  }
  const std::uint64_t symbol_bytes = symbols.size() * sizeof(Elf64_Sym);
  const std::uint64_t text_bytes = count * 16;
  const std::string_view names("\0.text\0.symtab\0.strtab\0", 23);
  const std::uint64_t needed = kTextAt + text_bytes + symbol_bytes + strings.size() + 4096;
  size_bytes = std::max(size_bytes, needed);
  file.resize(size_bytes);
  const std::uint64_t sections_at = size_bytes - 4 * sizeof(Elf64_Shdr);
  const std::uint64_t names_at = sections_at - 64;
  const std::uint64_t strings_at = names_at - strings.size();
  const std::uint64_t symbols_at = (strings_at - symbol_bytes) & ~std::uint64_t{7};

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
  header.e_phnum = 1;
  header.e_shoff = sections_at;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  header.e_shstrndx = 3;
  file.put(0, header);
  Elf64_Phdr text{};
  text.p_type = PT_LOAD;
  text.p_flags = PF_R | PF_X;
  text.p_vaddr = kBase;
  text.p_filesz = text.p_memsz = kTextAt + text_bytes;
  file.put(sizeof header, text);

  std::array<Elf64_Shdr, 4> sections{};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_addr = kBase + kTextAt;
  sections[1].sh_offset = kTextAt;
  sections[1].sh_size = text_bytes;
  sections[2].sh_name = 7;
  sections[2].sh_type = SHT_SYMTAB;
  sections[2].sh_offset = symbols_at;
  sections[2].sh_size = symbol_bytes;
  sections[2].sh_entsize = sizeof(Elf64_Sym);
  sections[2].sh_link = 3;
  // Section names share the symbols' string table, as some linkers do.
  sections[3].sh_name = 15;
  sections[3].sh_type = SHT_STRTAB;
  sections[3].sh_offset = strings_at;
  sections[3].sh_size = strings.size() + names.size();
  file.put(sections_at, sections);
  file.write(names_at, names);
  file.write(strings_at, strings);
  file.write(symbols_at, {reinterpret_cast<const char*>(symbols.data()), symbol_bytes});
}

}  // namespace exa::test
