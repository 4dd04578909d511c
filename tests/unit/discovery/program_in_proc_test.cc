// From a folder of processes to the name of what an interpreter runs there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/discovery/proc_reader.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

using namespace std::string_literals;

const auto kSpawned = "python3\0-c\0from multiprocessing.spawn import spawn_main; x\0"s;
const auto kUvicorn = "python3\0/bin/uvicorn\0orders:app\0"s;

class ProgramInProc : public testing::Test {
 protected:
  ~ProgramInProc() override { std::filesystem::remove_all(root_); }

  void process(const std::string& pid, int parent, const std::string& exe,
               const std::string& cmdline, const std::string& runs_in = {}) const {
    const auto folder = root_ / pid;
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "stat")
        << pid << " (w) S " << parent << " 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 20 0 1 0 9 1 1\n";
    std::ofstream(folder / "cmdline", std::ios::binary) << cmdline;
    std::filesystem::create_symlink(exe, folder / "exe");
    if (!runs_in.empty()) std::filesystem::create_symlink(runs_in, folder / "cwd");
  }

  [[nodiscard]] std::string name_of_77() const {
    // What a reader does, without a process of its own.
    const auto words = [](int process_fd, std::uint32_t, const std::string& executable) {
      const UniqueFd command(openat(process_fd, "cmdline", O_RDONLY | O_CLOEXEC));
      return std::optional(read_words(-1, command.get(), executable));
    };
    return ProcReader(words, root_.string()).read(77).value().script;
  }

  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / ("programs-" + std::to_string(getpid()));
};

TEST_F(ProgramInProc, WhereOnlyTheFolderTellsItIsTheOneTheProcessRunsIn) {
  process("77", 1, "/usr/bin/node", "node\0.\0"s, "/srv/shop");
  EXPECT_EQ(name_of_77(), "shop");
  process("77", 1, "/usr/bin/node", "node\0.\0"s);
  EXPECT_EQ(name_of_77(), "") << "where it runs cannot be read";
  process("77", 1, "/usr/bin/python3", "python3\0/opt/orders/__main__.py\0"s);
  EXPECT_EQ(name_of_77(), "orders");
}

TEST_F(ProgramInProc, AWordThatTheBoundCutsNamesNobody) {
  const auto cut = [](const std::string& words) {
    return words + std::string(kMaxCommandBytes - words.size(), 'x');
  };
  process("77", 1, "/usr/bin/node", cut("node\0"s));
  EXPECT_EQ(name_of_77(), "");
  process("77", 1, "/usr/bin/java", cut("java\0-cp\0a.jar\0Main\0"s));
  EXPECT_EQ(name_of_77(), "Main");
}

TEST_F(ProgramInProc, AWorkerThatPythonStartedAnewHasTheNameOfItsParent) {
  process("77", 78, "/usr/bin/python3.11", kSpawned);
  process("78", 1, "/usr/bin/python3.11", kUvicorn);
  EXPECT_EQ(name_of_77(), "orders");

  // The parent's folder, where that names it.
  process("78", 1, "/usr/bin/python3.11", "python3\0manage.py\0"s, "/srv/shop");
  EXPECT_EQ(name_of_77(), "shop");

  // With a server for forks in between; but no endless row of them.
  process("78", 79, "/usr/bin/python3.11", kSpawned);
  process("79", 1, "/usr/bin/python3.11", kUvicorn);
  EXPECT_EQ(name_of_77(), "orders");
  process("79", 77, "/usr/bin/python3.11", kSpawned);
  EXPECT_EQ(name_of_77(), "");
}

TEST_F(ProgramInProc, NobodyIsNamedAfterAStranger) {
  process("77", 78, "/usr/bin/python3.11", kSpawned);
  EXPECT_EQ(name_of_77(), "") << "the parent is gone";
  process("78", 1, "/usr/bin/node", "node\0shop.js\0"s);
  EXPECT_EQ(name_of_77(), "") << "another program";
  if (geteuid() != 0) GTEST_SKIP() << "giving a folder away needs root";
  process("78", 1, "/usr/bin/python3.11", kUvicorn);
  ASSERT_EQ(chown((root_ / "78").c_str(), 65534, 65534), 0);
  EXPECT_EQ(name_of_77(), "") << "another user";
}

}  // namespace
}  // namespace exa
