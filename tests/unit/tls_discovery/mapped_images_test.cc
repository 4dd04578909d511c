#include "agent/discovery/tls/mapped_images.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;

std::vector<MappedImage> parse(std::string_view text, std::size_t piece_bytes = 1 << 20) {
  MapsParser parser;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes)
    parser.feed(text.substr(at, piece_bytes));
  parser.finish();
  return parser.images();
}

constexpr std::string_view kMaps =
    "00400000-00452000 r--p 00000000 08:02 173521      /usr/bin/dbus-daemon\n"
    "00452000-00460000 r-xp 00052000 08:02 173521      /usr/bin/dbus-daemon\n"
    "00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
    "35b1800000-35b1820000 r-xp 00000000 fd:1a 135522  /usr/lib64/with space (deleted)\n"
    "7f0000000000-7f0000001000 r-xp 00000000 00:01 77 /memfd:jit code (deleted)\n"
    "7f0000001000-7f0000002000 r-xp 00000000 08:02 135523 /a\\012b-c r-xp 0 0:0 1 /d (deleted)\n"
    "7f0000002000-7f0000003000 r-xp 00052000 08:02 173521 /usr/bin/dbus-daemon\n"
    "7ffe11111000-7ffe11112000 r-xp 00000000 00:00 0           [vdso]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\n";

TEST(MapsParser, TakesExecutableFilesOnceEach) {
  const auto images = parse(kMaps);
  ASSERT_EQ(images.size(), 4u);
  EXPECT_EQ(images[0].start, 0x452000u);
  EXPECT_EQ(images[0].end, 0x460000u);
  EXPECT_EQ(images[0].inode, 173521u);
  EXPECT_EQ(images[0].path, "/usr/bin/dbus-daemon");
  EXPECT_FALSE(images[0].deleted);
  EXPECT_EQ(images[1].device_major, 0xfdu);
  EXPECT_EQ(images[1].device_minor, 0x1au);
  EXPECT_EQ(images[1].path, "/usr/lib64/with space");
  EXPECT_TRUE(images[1].deleted);
  EXPECT_EQ(images[2].path, "/memfd:jit code");
  EXPECT_EQ(images[3].path, "/a\\012b-c r-xp 0 0:0 1 /d");
}

TEST(MapsParser, GivesTheSameForEveryWayToCutTheText) {
  const auto whole = parse(kMaps);
  for (std::size_t piece = 1; piece < 200; ++piece) {
    const auto cut = parse(kMaps, piece);
    ASSERT_EQ(cut.size(), whole.size()) << piece;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(cut[i].path, whole[i].path);
      EXPECT_EQ(cut[i].inode, whole[i].inode);
    }
  }
}

TEST(MapsParser, CountsLinesThatAreNone) {
  MapsParser parser;
  parser.feed("\n");
  parser.feed("garbage\n");
  parser.feed("5000-4000 r-xp 0 08:02 1 /backwards\n");
  parser.feed("10000000000000000-20000000000000000 r-xp 0 08:02 1 /wide\n");
  parser.feed("1000-2000 r-xp 0 08:02 99999999999999999999 /inode\n");
  parser.feed("1000-2000 r-xp 0 08:02 \n1000-2000 r\n1000-2000");
  parser.finish();
  EXPECT_TRUE(parser.images().empty());
  EXPECT_EQ(parser.malformed_lines(), 8u);
}

TEST(MapsParser, HoldsItsBounds) {
  MapsParser parser;
  parser.feed("1000-2000 r-xp 00000000 08:02 5 /");
  for (int i = 0; i < 100; ++i)
    parser.feed(std::string(1000, 'x'));
  parser.feed("\n1000-2000 r-xp 00000000 08:02 6 /after\n");
  EXPECT_EQ(parser.malformed_lines(), 1u);
  ASSERT_EQ(parser.images().size(), 1u);
  EXPECT_EQ(parser.images()[0].path, "/after");
  for (int i = 0; i < 5000; ++i)
    parser.feed("1000-2000 r-xp 00000000 08:02 " + std::to_string(i + 100) + " /x\n");
  EXPECT_EQ(parser.images().size(), MapsParser::kMaxImages);
  EXPECT_EQ(parser.images_over_limit(), 5001 - MapsParser::kMaxImages);
}

const MappedImage* find(const MappedImages& mapped, std::string_view part) {
  for (const auto& image : mapped.images)
    if (image.path.find(part) != std::string::npos) return &image;
  return nullptr;
}

TEST(MappedImages, OfThisProcessHaveItsProgram) {
  const auto process = open_process(static_cast<std::uint32_t>(getpid()));
  ASSERT_TRUE(process) << process.error().text;
  const auto mapped = read_mapped_images(process->get());
  ASSERT_TRUE(mapped) << mapped.error().text;
  EXPECT_TRUE(mapped->complete);
  const auto* const program = find(*mapped, "unit_tls_discovery");
  ASSERT_NE(program, nullptr);
  const auto file = open_mapped_image(process->get(), *program);
  ASSERT_TRUE(file) << file.error().text;
  struct stat opened{}, self{};
  ASSERT_EQ(fstat(file->get(), &opened), 0);
  ASSERT_EQ(stat("/proc/self/exe", &self), 0);
  EXPECT_EQ(opened.st_ino, self.st_ino);
}

// A library that is mapped, then replaced on disk: what is mapped is opened, not what is there.
TEST(MappedImages, AreOpenedThoughTheirPathIsGone) {
  const TemporaryFolder folder;
  const auto path = folder.file("lib with\nnewline.so");
  std::filesystem::copy_file(kLibSsl, path);
  const auto file = open_file(path);
  struct stat original{};
  ASSERT_EQ(fstat(file.get(), &original), 0);
  void* const mapping = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  std::filesystem::remove(path);
  std::ofstream(path) << "another file";

  const auto process = open_process(static_cast<std::uint32_t>(getpid()));
  ASSERT_TRUE(process);
  const auto mapped = read_mapped_images(process->get());
  ASSERT_TRUE(mapped);
  const auto* const image = find(*mapped, "lib with\\012newline.so");
  ASSERT_NE(image, nullptr);
  EXPECT_TRUE(image->deleted);
  const auto opened = open_mapped_image(process->get(), *image);
  munmap(mapping, 4096);
  if (!opened && geteuid() != 0) GTEST_SKIP() << "map_files needs CAP_CHECKPOINT_RESTORE";
  ASSERT_TRUE(opened) << opened.error().text;
  struct stat status{};
  ASSERT_EQ(fstat(opened->get(), &status), 0);
  EXPECT_EQ(status.st_ino, original.st_ino);
  EXPECT_TRUE(plan_attachment(opened->get()).readable());
}

TEST(MappedImages, OfAProcessThatIsGoneAreAnError) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto process = open_process(static_cast<std::uint32_t>(child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(process);
  MappedImage gone;
  gone.start = 0x1000;
  gone.end = 0x2000;
  EXPECT_FALSE(read_mapped_images(process->get()));
  EXPECT_FALSE(open_mapped_image(process->get(), gone));
}

}  // namespace
}  // namespace exa
