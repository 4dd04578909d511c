#include "agent/run/pipeline/target_naming.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include "agent/config/config.h"
#include "agent/naming/container_names.h"
#include "agent/naming/kubernetes/pod_watch.h"
#include "agent/naming/kubernetes/pod_watch_options.h"

namespace exa {
namespace {

constexpr std::size_t kPodUpdatesQueued = 512;

}  // namespace

struct TargetNaming::Pods {
  Pods(const PodWatchOptions& options, const KubernetesSettings& settings, Counters& counters,
       const Log& log, const Sink& sink)
      : naming({.rules = {.use_labels = settings.use_labels}}, updates, counters, sink),
        watch(options, updates, counters, log) {}

  PodUpdates updates{kPodUpdatesQueued};
  PodNaming naming;
  PodWatch watch;
};

TargetNaming::TargetNaming(const KubernetesSettings& settings, Counters& counters, const Log& log,
                           Sink sink)
    : sink_(std::move(sink)) {
  if (!settings.enabled || getenv("KUBERNETES_SERVICE_HOST") == nullptr) return;
  const auto options = pod_watch_options(settings, getenv);
  if (options)
    pods_ = std::make_unique<Pods>(*options, settings, counters, log, sink_);
  else
    log.warn("processes are named without their pods: " + options.error().text);
}

TargetNaming::~TargetNaming() = default;

void TargetNaming::on_target(ToldTarget told, MonotonicTime now) {
  auto& target = told.target;
  if (told.engine_file.valid()) {
    const auto container_id = attribute_text(target.resource->attributes, "container.id");
    add_container_names(target,
                        engines_.names_in(told.document, told.engine_file.get(), container_id));
  }
  if (pods_)
    pods_->naming.on_target(target, now);
  else
    sink_(target);
}

void TargetNaming::advance(MonotonicTime now) {
  if (!pods_) return;
  pods_->naming.advance(now);
  if (pods_->naming.awaits_pods()) pods_->watch.ask_soon();
}

void TargetNaming::release_all() {
  if (pods_) pods_->naming.release_all();
}

void TargetNaming::fill(SelfGauges& gauges, MonotonicTime now) const {
  if (!pods_) return;
  const auto health = pods_->watch.health();
  gauges.pods = pods_->naming.directory().size();
  gauges.pods_source = health.state;
  gauges.pods_answer_age_s =
      std::chrono::duration<double>(elapsed(health.last_answer, now)).count();
}

}  // namespace exa
