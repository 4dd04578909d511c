#include "agent/commands/check_report.h"

#include <algorithm>

#include "agent/config/config.h"
#include "agent/config/value_text.h"
#include "agent/discovery/tls/tls_attacher.h"
#include "agent/kernel/features.h"
#include "agent/model/exit_codes.h"
#include "agent/privilege/single_instance.h"
#include "exa/model/address.h"
#include "exporters/page/listen_socket.h"

namespace exa {

std::string features_text(const kernel::KernelFeatures& features) {
  auto text = "Linux " + features.release + ", lockdown: " + features.lockdown + "\n\n";
  std::size_t width = 0;
  for (const auto& feature : features.features)
    width = std::max(width, feature.name.size());
  for (const auto& feature : features.features) {
    const std::string state = feature.present ? "yes" : feature.required ? "NO " : "no ";
    auto name = std::string(feature.name);
    if (!feature.present) {
      name.resize(width, ' ');
      name.append("  ").append(feature.cost_of_lack);
    }
    text += "  " + state + "  " + name + "\n";
  }
  return text + "\n" + features.rung_sentence + "\n";
}

std::string unread_tls_text(const kernel::KernelFeatures& features) {
  if (!features.has(kernel::FeatureId::kUprobeMulti))
    return "TLS cannot be read here: this kernel has no uprobe_multi links.\n";
  if (!features.has(kernel::FeatureId::kProbeGuard))
    return "TLS cannot be read here: programs on probes could crash this kernel.\n";
  return {};
}

std::string library_text(const std::string& path, const std::expected<ReadFile, Unread>& found) {
  std::string result;
  if (!found)
    result = sentence(found.error());
  else if (found->plan.readable())
    result = std::string(library_name(found->plan.sites.front().library)) + ", " +
             std::to_string(found->plan.sites.size()) + " probes";
  else
    result = sentence(found->plan.verdict);
  auto column = path;
  column.resize(std::max<std::size_t>(column.size(), 48), ' ');
  return "  " + column + "  " + result + "\n";
}

std::string confinement_text(const Config& config, const Result<int>& landlock) {
  const auto text = "The process that parses captured bytes runs as user " +
                    std::to_string(config.pipeline.uid) + " with few system calls;\n";
  if (!landlock)
    return text +
           "  it can open whatever every user on this host can read, and any TCP port, because\n "
           " " +
           landlock.error().text + ".\n";
  return text + "  Landlock (version " + std::to_string(*landlock) + ") limits it to the files" +
         (*landlock >= 4 ? " and TCP ports" : "") + " it needs.\n";
}

std::string ways_out_text(const Config& config) {
  std::string text;
  if (config.openmetrics.enabled)
    text +=
        "To scrape it with Prometheus, which keeps exemplars with "
        "--enable-feature=exemplar-storage:\n"
        "  scrape_configs:\n"
        "    - job_name: exemplar-agent\n"
        "      honor_labels: true  # job and instance are those of the observed services\n"
        "      static_configs:\n"
        "        - targets: [\"" +
        host_port_text(config.openmetrics.host, config.openmetrics.port) + "\"]\n";
  if (!config.otlp.traces.active())
    text +=
        "No traces are exported, so exemplars have ids only where callers sampled their own "
        "traces;\n"
        "  --otlp-endpoint URL (otlp.endpoint) gives every exemplar its trace.\n";
  return text;
}

Taken what_is_taken(const Config& config) {
  Taken taken{.exit_code = kExitOk, .text = {}};
  if (config.openmetrics.enabled) {
    if (const auto listening = listen_on(config.openmetrics.host, config.openmetrics.port);
        !listening) {
      taken.text += "  " + listening.error().text + "\n";
      taken.exit_code = kExitFailure;
    }
  }
  if (const auto holder = lock_holder(config.lock_path); holder.held) {
    taken.text += "  another agent is already running" +
                  (holder.process.empty() ? "" : ", as process " + holder.process) + "; it holds " +
                  config.lock_path + ": stop it, or give this one a different lock_file\n";
    taken.exit_code = kExitSecondInstance;
  }
  return taken;
}

}  // namespace exa
