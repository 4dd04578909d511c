#include "agent/commands/status/status.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/commands/status/running_agent.h"
#include "agent/commands/status/status_services.h"
#include "agent/commands/status/status_table.h"
#include "agent/config/config.h"
#include "agent/model/exit_codes.h"
#include "agent/run/messages/status_files.h"
#include "exa/base/time.h"

namespace exa {
namespace {

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

int print_status(const Config& config, ToldForm form) {
  const auto told = told_by_agent(config);
  if (!told) return tell_failure(told.error().text);
  const auto text = form == ToldForm::kJson
                        ? status_json(told->windows, told->processes)
                        : services_table(told->windows, told->processes,
                                         measure_wall_clock_offset().to_wall(monotonic_now()));
  if (!text)
    return tell_failure(status_path(config) + " " + text.error().text +
                        ": is the running agent the same version?");
  std::fwrite(text->data(), 1, text->size(), stdout);
  if (form == ToldForm::kText) print_processes(told->processes);
  return kExitOk;
}

}  // namespace exa
