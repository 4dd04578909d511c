#include "agent/commands/check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "agent/config/config.h"
#include "agent/config/value_text.h"
#include "agent/discovery/target_finder.h"
#include "agent/kernel/features.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/privilege/landlock.h"
#include "agent/privilege/single_instance.h"
#include "agent/readers/foreign_reader.h"
#include "agent/run/prober/tls_capture.h"
#include "exa/base/unique_fd.h"
#include "exporters/page/listen_socket.h"

namespace exa {
namespace {

void print_library(const std::string& path, const std::expected<ReadFile, Unread>& found) {
  if (!found)
    std::printf("  %-48s  %s\n", path.c_str(), std::string(sentence(found.error())).c_str());
  else if (found->plan.readable())
    std::printf("  %-48s  %s, %zu probes\n", path.c_str(),
                std::string(library_name(found->plan.sites.front().library)).c_str(),
                found->plan.sites.size());
  else
    std::printf("  %-48s  %s\n", path.c_str(), std::string(sentence(found->plan.verdict)).c_str());
}

// What TLS costs here, and which libraries of the host would be probed. Readers look at them, as in
// a run: whoever made a library reaches no process that holds a capability.
void print_tls(const kernel::KernelFeatures& features, Zygote& zygote) {
  if (!features.has(kernel::FeatureId::kUprobeMulti)) {
    std::puts("TLS stays unread here: this kernel has no uprobe_multi links.");
    return;
  }
  if (!features.has(kernel::FeatureId::kProbeGuard)) {
    std::puts("TLS stays unread here: programs on probes could crash this kernel.");
    return;
  }
  const auto mappings = kernel::MappingIterator::load();
  if (!mappings) {
    std::printf("TLS stays unread here: %s\n", mappings.error().text.c_str());
    return;
  }
  std::puts(
      "TLS is read by uprobe_multi links; each call of a probed function costs a breakpoint:");
  ForeignReader reader(zygote);
  std::set<FileIdentity> told;  // folders may lead to the same file
  for (const std::string& path : reachable_host_libraries()) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid()) continue;
    const auto found = reader.plan(place.get(), nullptr, {}, 0, *mappings);
    if (!found || told.insert(found->file).second) print_library(path, found);
  }
  std::puts(
      "  Libraries and programs elsewhere are looked at when a process runs or maps them;\n"
      "  `exemplar-agent status` tells of each.");
}

// How little of the host a pipeline that was taken over would reach.
void print_confinement(const Config& config) {
  const auto landlock = landlock_version();
  std::printf("The process that parses captured bytes becomes user %u with few system calls;\n",
              config.pipeline.uid);
  if (!landlock)
    std::printf(
        "  it may open what every user of this host may read, and any TCP port, since\n  %s.\n",
        landlock.error().text.c_str());
  else
    std::printf("  Landlock (version %d) leaves it the files%s that it needs.\n", *landlock,
                *landlock >= 4 ? " and TCP ports" : "");
}

// What a second agent would lack; the exit code of `run` then.
int print_what_is_taken(const Config& config) {
  int code = kExitOk;
  if (config.openmetrics.enabled) {
    if (const auto listening = listen_on(config.openmetrics.host, config.openmetrics.port);
        !listening) {
      std::printf("  %s\n", listening.error().text.c_str());
      code = kExitFailure;
    }
  }
  if (const auto holder = lock_holder(config.lock_path); holder.held) {
    std::printf(
        "  another agent runs already%s; it holds %s: end it, or give this one another "
        "lock_file\n",
        holder.process.empty() ? "" : (", as process " + holder.process).c_str(),
        config.lock_path.c_str());
    code = kExitSecondInstance;
  }
  return code;
}

void print_rules(const Config& config) {
  TargetFinder finder(config.targets, this_host(), ProcReader({}));
  for (const auto tgid : finder.processes())
    static_cast<void>(finder.look_at(tgid));
  for (const auto& rule : finder.unmatched())
    std::printf("Warning: %s: no process matches now.\n", rule.c_str());
}

// How results come to where somebody looks at them.
void print_ways_out(const Config& config) {
  if (config.openmetrics.enabled)
    std::printf(
        "Prometheus scrapes it so, and keeps exemplars with --enable-feature=exemplar-storage:\n"
        "  scrape_configs:\n"
        "    - job_name: exemplar-agent\n"
        "      honor_labels: true  # job and instance are those of the observed services\n"
        "      static_configs:\n"
        "        - targets: [\"%s\"]\n",
        host_port_text(config.openmetrics.host, config.openmetrics.port).c_str());
  if (!config.otlp.traces.active())
    std::puts(
        "No traces are exported, so exemplars have ids only where callers sampled their own "
        "traces;\n"
        "  --otlp-endpoint URL (otlp.endpoint) gives every exemplar its trace.");
}

}  // namespace

int check_host(const Config& config) {
  // Before there is anything that a reader must not have.
  auto zygote = Zygote::start(be_reader, config.pipeline.uid);
  const auto features = kernel::probe_kernel_features();
  std::printf("Linux %s, lockdown: %s\n\n", features.release.c_str(), features.lockdown.c_str());
  std::size_t width = 0;
  for (const auto& feature : features.features)
    width = std::max(width, feature.name.size());
  for (const auto& feature : features.features) {
    const char* const state = feature.present ? "yes" : feature.required ? "NO" : "no";
    std::printf("  %-3s  %-*s%s%s\n", state, feature.present ? 0 : static_cast<int>(width),
                std::string(feature.name).c_str(), feature.present ? "" : "  ",
                feature.present ? "" : std::string(feature.cost_of_lack).c_str());
  }
  std::printf("\n%s\n", features.rung_sentence.c_str());
  if (!features.can_run()) {
    std::printf("The agent cannot run here:\n%s\n", features.refusal().c_str());
    if (geteuid() != 0) std::puts("You are not root: sudo exemplar-agent check");
    return kExitFailure;
  }
  if (const auto readable = check_export_files(config); !readable) {
    std::printf("The agent cannot run so configured:\n  %s\n", readable.error().text.c_str());
    return kExitBadConfiguration;
  }
  if (zygote)
    print_tls(features, *zygote);
  else
    std::printf("TLS stays unread here: %s\n", zygote.error().text.c_str());
  print_confinement(config);
  if (kernel::pid_namespace_inode() != 0)
    std::puts(
        "Seen are the processes of this PID namespace, which is not the host's; for all of them:\n"
        "`docker run --pid=host`, `hostPID: true`.");
  print_rules(config);
  print_ways_out(config);
  if (const int code = print_what_is_taken(config); code != kExitOk) {
    std::puts("The agent cannot run now, for the reasons above.");
    return code;
  }
  std::puts("The agent can run here.");
  return kExitOk;
}

}  // namespace exa
