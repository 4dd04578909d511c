#include "agent/status.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "agent/cli.h"
#include "agent/privilege/single_instance.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

// Names of hostile processes reach the terminal.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

void print_table(const nlohmann::json& status) {
  std::printf("%-8s %-32s %-14s %6s  %s\n", "PID", "EXECUTABLE", "LIBRARY", "PROBES", "TLS");
  for (const auto& process : status.at("processes")) {
    for (const auto& use : process.at("tls")) {
      const auto library = use.at("library").get<std::string>();
      std::printf("%-8u %-32s %-14s %6zu  %s (%s)\n", process.at("pid").get<unsigned>(),
                  printable(process.at("executable")).c_str(),
                  library.empty() ? "-" : library.c_str(), use.at("probes").get<std::size_t>(),
                  use.at("reason").get<std::string>().c_str(), printable(use.at("path")).c_str());
    }
  }
}

}  // namespace

std::string status_path(const Config& config) {
  return config.lock_path + ".status";
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

int print_status(const Config& config) {
  if (const auto lock = lock_instance(config.lock_path); lock && lock->acquired()) {
    std::fprintf(stderr, "exemplar-agent: no agent runs that holds %s\n", config.lock_path.c_str());
    return kExitFailure;
  }
  std::ifstream file(status_path(config));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto status = nlohmann::json::parse(text, nullptr, false);
  if (!status.is_object() || !status.contains("processes")) {
    std::fprintf(stderr,
                 "exemplar-agent: %s tells nothing: the agent does not read TLS, or you may not "
                 "read the file\n",
                 status_path(config).c_str());
    return kExitFailure;
  }
  print_table(status);
  return kExitOk;
}

}  // namespace exa
