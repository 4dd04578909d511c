#include "agent/commands/status/running_agent.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "agent/config/config.h"
#include "agent/privilege/single_instance.h"
#include "agent/run/messages/status_files.h"

namespace exa {
namespace {

constexpr int kTries = 50;  // of a file that is just being written
constexpr auto kPause = std::chrono::milliseconds(10);

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::string text(kMaxToldBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string windows_of(const Config& config) {
  for (int i = 0; i < kTries; ++i) {
    const auto text = text_of(services_path(config));
    if (auto windows = unsealed(text)) return std::move(*windows);
    if (text.empty()) break;  // no window has closed yet
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

}  // namespace

Result<ToldByAgent> told_by_agent(const Config& config) {
  if (::access(config.lock_path.c_str(), F_OK) != 0 || !lock_holder(config.lock_path).held)
    return fail("no running agent holds " + config.lock_path +
                "; for an agent with a different lock file, pass --lock-file");
  if (::access(status_path(config).c_str(), R_OK) != 0 && errno == EACCES)
    return fail("only root can read " + status_path(config) + ": use sudo");
  return ToldByAgent{.windows = windows_of(config), .processes = text_of(status_path(config))};
}

}  // namespace exa
