#include "agent/commands/status/status.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/commands/status/status_services.h"
#include "agent/commands/status/status_table.h"
#include "agent/config/config.h"
#include "agent/model/exit_codes.h"
#include "agent/privilege/single_instance.h"
#include "agent/run/messages/status_files.h"
#include "exa/base/time.h"

namespace exa {
namespace {

constexpr int kTries = 50;  // of a file that is just being written
constexpr auto kPause = std::chrono::milliseconds(10);

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::string text(kMaxStatusBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string services_of(const Config& config) {
  for (int i = 0; i < kTries; ++i) {
    const auto text = text_of(services_path(config));
    if (auto services = unsealed(text)) return std::move(*services);
    if (text.empty()) break;  // no window has closed yet
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

int tell_failure(const std::string& text) {
  std::fprintf(stderr, "exemplar-agent: %s\n", text.c_str());
  return kExitFailure;
}

void print_processes(std::string_view processes) {
  const auto json = nlohmann::json::parse(processes, nullptr, false);
  const bool without_tls = json.is_object() && json.contains("tls");
  if (without_tls)
    std::printf("\nTLS is not read: %s\n", json["tls"] == "off"
                                               ? "tls.enabled is false"
                                               : "the kernel refuses it; see the log");
  if (without_tls && json.value("over_share", nlohmann::json::array()).empty()) return;
  if (const auto table = status_table(processes)) std::printf("\n%s", table->c_str());
}

}  // namespace

int print_status(const Config& config, StatusForm form) {
  if (::access(config.lock_path.c_str(), F_OK) != 0 || !lock_holder(config.lock_path).held)
    return tell_failure("no running agent holds " + config.lock_path +
                        "; for an agent with a different lock file, pass --lock-file");
  if (::access(status_path(config).c_str(), R_OK) != 0 && errno == EACCES)
    return tell_failure("only root can read " + status_path(config) +
                        ": sudo exemplar-agent status");
  const auto services = services_of(config);
  const auto processes = text_of(status_path(config));
  const auto text = form == StatusForm::kJson
                        ? status_json(services, processes)
                        : services_table(services, processes,
                                         measure_wall_clock_offset().to_wall(monotonic_now()));
  if (!text)
    return tell_failure(status_path(config) + " " + text.error().text +
                        ": is the running agent the same version?");
  std::fwrite(text->data(), 1, text->size(), stdout);
  if (form == StatusForm::kTable) print_processes(processes);
  return kExitOk;
}

}  // namespace exa
