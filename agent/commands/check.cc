#include "agent/commands/check.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <set>
#include <string>

#include "agent/commands/check_report.h"
#include "agent/config/config.h"
#include "agent/discovery/target_finder.h"
#include "agent/kernel/features.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/privilege/landlock.h"
#include "agent/readers/foreign_reader.h"
#include "agent/run/prober/tls_capture.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

// What TLS costs here, and which libraries of the host would be probed. Readers look at them, as in
// a run: whoever made a library reaches no process that holds a capability.
void print_tls(const kernel::KernelFeatures& features, Zygote& zygote) {
  if (const auto unread = unread_tls_text(features); !unread.empty()) {
    print(unread);
    return;
  }
  const auto mappings = kernel::MappingIterator::load();
  if (!mappings) {
    std::printf("TLS cannot be read here: %s\n", mappings.error().text.c_str());
    return;
  }
  std::puts(
      "TLS is read through uprobe_multi links; every call to a probed function costs a "
      "breakpoint:");
  ForeignReader reader(zygote);
  std::set<FileIdentity> told;  // folders may lead to the same file
  for (const std::string& path : reachable_host_libraries()) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid()) continue;
    const auto found = reader.plan(place.get(), nullptr, {}, 0, *mappings);
    if (!found || told.insert(found->file).second) print(library_text(path, found));
  }
  std::puts(
      "  Libraries and programs elsewhere are examined when a process runs or maps them;\n"
      "  `exemplar-agent status` lists each.");
}

void print_rules(const Config& config) {
  TargetFinder finder(config.targets, this_host(), ProcReader({}));
  for (const auto tgid : finder.processes())
    static_cast<void>(finder.look_at(tgid));
  for (const auto& rule : finder.unmatched())
    std::printf("Warning: %s: no process matches.\n", rule.c_str());
}

}  // namespace

int check_host(const Config& config) {
  // Before there is anything that a reader must not have.
  auto zygote = Zygote::start(be_reader, config.pipeline.uid);
  const auto features = kernel::probe_kernel_features();
  print(features_text(features));
  if (!features.can_run()) {
    std::printf("The agent cannot run here:\n%s\n", features.refusal().c_str());
    if (geteuid() != 0) std::puts("Not running as root; try: sudo exemplar-agent check");
    return kExitFailure;
  }
  if (const auto readable = check_export_files(config); !readable) {
    std::printf("The agent cannot run with this configuration:\n  %s\n",
                readable.error().text.c_str());
    return kExitBadConfiguration;
  }
  if (zygote)
    print_tls(features, *zygote);
  else
    std::printf("TLS cannot be read here: %s\n", zygote.error().text.c_str());
  print(confinement_text(config, landlock_version()));
  if (kernel::pid_namespace_inode() != 0)
    std::puts(
        "The agent sees only the processes of this PID namespace, which is not the host's; to see "
        "all:\n"
        "`docker run --pid=host`, `hostPID: true`.");
  print_rules(config);
  print(ways_out_text(config));
  if (const auto taken = what_is_taken(config); taken.exit_code != kExitOk) {
    print(taken.text);
    std::puts("The agent cannot run now, for the reasons above.");
    return taken.exit_code;
  }
  std::puts("The agent can run here.");
  return kExitOk;
}

}  // namespace exa
