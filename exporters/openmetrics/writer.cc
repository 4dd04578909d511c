#include "exporters/openmetrics/writer.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <vector>

#include "exa/base/overloaded.h"
#include "exporters/openmetrics/names.h"
#include "exporters/openmetrics/series_name.h"

namespace exa {
namespace {

// OpenMetrics: label names and values of an exemplar together.
constexpr std::size_t kLongestExemplarLabels = 128;

enum class Kind { kGauge, kCounter, kHistogram };

Kind kind_of(const Metric& metric) {
  return std::visit(
      Overloaded{
          [](const Gauge&) { return Kind::kGauge; },
          [](const Sum& sum) { return sum.monotonic ? Kind::kCounter : Kind::kGauge; },
          [](const Histogram&) { return Kind::kHistogram; },
      },
      metric.points);
}

const char* kind_text(Kind kind) {
  switch (kind) {
    case Kind::kGauge:
      return "gauge";
    case Kind::kCounter:
      return "counter";
    case Kind::kHistogram:
      return "histogram";
  }
  return "unknown";
}

// The same metric of several targets: one family, in one place, as the format demands.
struct Family {
  std::string name;
  Kind kind = Kind::kGauge;
  struct Member {
    std::size_t target;
    const Metric* metric;
  };
  std::vector<Member> members;
};

struct Target {
  std::string identity;     // job="...",instance="..."
  std::string description;  // labels of target_info
  bool succeeded = false;   // a later one has its identity: its process runs another program now
};

Target describe(const Resource* resource) {
  Target target;
  if (resource == nullptr) return target;
  target.identity = target_identity(resource);
  Attributes rest;
  for (const Attribute& attribute : resource->attributes)
    if (attribute.key != "service.name" && attribute.key != "service.namespace" &&
        attribute.key != "service.instance.id")
      rest.push_back(attribute);
  target.description = label_text(labels_of(rest));
  return target;
}

std::string braced(const std::string& labels) {
  return labels.empty() ? std::string() : "{" + labels + "}";
}

// Seconds with milliseconds: what Prometheus keeps of a timestamp.
std::string timestamp_text(WallTime time) {
  const auto milliseconds = static_cast<unsigned long long>(time.ns / 1'000'000);
  char text[32];
  std::snprintf(text, sizeof(text), "%llu.%03llu", milliseconds / 1000, milliseconds % 1000);
  return text;
}

std::string exemplar_text(const Exemplar& exemplar) {
  const Labels labels = {{"trace_id", to_hex(exemplar.trace_id)},
                         {"span_id", to_hex(exemplar.span_id)}};
  static_assert(8 + 32 + 7 + 16 <= kLongestExemplarLabels);
  return " # {" + label_text(labels) + "} " + number_text(exemplar.value) + " " +
         timestamp_text(exemplar.time);
}

const Exemplar* exemplar_of(const std::vector<BucketExemplar>* shown, std::size_t bucket) {
  if (shown == nullptr) return nullptr;
  const auto found = std::ranges::find(*shown, bucket, &BucketExemplar::bucket);
  return found == shown->end() ? nullptr : &found->exemplar;
}

// A bucket that counted nothing shows none: its series began anew since.
const Exemplar* exemplar_of(const std::vector<BucketExemplar>* shown, const HistogramPoint& point,
                            std::size_t bucket) {
  if (bucket >= point.bucket_counts.size() || point.bucket_counts[bucket] == 0) return nullptr;
  return exemplar_of(shown, bucket);
}

class Writer {
 public:
  Writer(ScrapeFormat format, const ShownExemplars* exemplars)
      : format_(format), exemplars_(exemplars) {}

  Rendered render(const MetricBatch& batch) {
    collect(batch);
    write_target_info();
    for (const Family& family : families_)
      write(family);
    if (open_metrics()) out_.text += "# EOF\n";
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool open_metrics() const { return format_ == ScrapeFormat::kOpenMetrics; }

  void collect(const MetricBatch& batch) {
    std::unordered_map<std::string, std::size_t> family_of;
    std::unordered_map<std::string, std::size_t> target_of;
    for (const ResourceMetrics& resource : batch.resources) {
      targets_.push_back(describe(resource.resource.get()));
      const auto [same, is_first] =
          target_of.try_emplace(targets_.back().identity, targets_.size() - 1);
      if (!is_first) {
        targets_[same->second].succeeded = any_succeeded_ = true;
        same->second = targets_.size() - 1;
      }
      for (const Metric& metric : resource.metrics) {
        const Kind kind = kind_of(metric);
        std::string name = family_name(metric.name, metric.unit, kind == Kind::kCounter);
        const auto [found, added] = family_of.try_emplace(name, families_.size());
        if (added) families_.push_back({.name = std::move(name), .kind = kind, .members = {}});
        Family& family = families_[found->second];
        if (family.kind != kind) continue;
        family.members.push_back({.target = targets_.size() - 1, .metric = &metric});
      }
    }
  }

  void write_target_info() {
    bool begun = false;
    std::unordered_map<std::string, bool> written;
    for (const Target& target : targets_) {
      if (target.succeeded || (target.identity.empty() && target.description.empty())) continue;
      const std::string labels = joined_labels(target.identity, target.description);
      if (!written.try_emplace(labels, true).second) continue;
      if (!begun) {
        out_.text += open_metrics() ? "# TYPE target info\n" : "# TYPE target_info gauge\n";
        out_.text += std::string("# HELP target") + (open_metrics() ? "" : "_info") +
                     " What is known about each target.\n";
      }
      begun = true;
      out_.text += "target_info" + braced(labels) + " 1\n";
    }
  }

  void write(const Family& family) {
    const Metric& first = *family.members.front().metric;
    const bool suffixed = !open_metrics() && family.kind == Kind::kCounter;
    const std::string name = family.name + (suffixed ? "_total" : "");
    out_.text += "# TYPE " + name + " " + kind_text(family.kind) + "\n";
    const std::string unit(unit_word(first.unit));
    if (open_metrics() && !unit.empty() && family.name.ends_with("_" + unit))
      out_.text += "# UNIT " + name + " " + unit + "\n";
    if (!first.description.empty())
      out_.text +=
          "# HELP " + name + " " + exposition_text(first.description, open_metrics()) + "\n";
    find_newest(family);
    for (const auto& [target, metric] : family.members)
      each_point(*metric, [&](const auto& point) {
        const std::string labels = series_labels(targets_[target].identity, point.attributes);
        const auto newest = newest_.find(labels);
        if (newest == newest_.end() || newest->second == &point) write(family, labels, point);
      });
  }

  template <typename Visit>
  static void each_point(const Metric& metric, Visit visit) {
    std::visit([&](const auto& points) { std::ranges::for_each(points.points, visit); },
               metric.points);
  }

  // A scraper takes no series twice: of targets of one identity the last one's points stand for
  // all, which reads as the restart that it was.
  void find_newest(const Family& family) {
    newest_.clear();
    if (!any_succeeded_) return;
    for (const auto& [target, metric] : family.members)
      each_point(*metric, [&](const auto& point) {
        newest_[series_labels(targets_[target].identity, point.attributes)] = &point;
      });
  }

  [[nodiscard]] const std::vector<BucketExemplar>* shown_of(const Family& family,
                                                            const std::string& labels) const {
    if (exemplars_ == nullptr) return nullptr;
    const auto found = exemplars_->find(series_name(family.name, labels));
    return found == exemplars_->end() ? nullptr : &found->second;
  }

  void write(const Exemplar& exemplar) {
    out_.text += exemplar_text(exemplar);
    ++out_.exemplars;
  }

  void write(const Family& family, const std::string& labels, const NumberPoint& point) {
    const auto value = std::visit(Overloaded{
                                      [](std::int64_t number) { return std::to_string(number); },
                                      [](double real) { return number_text(real); },
                                  },
                                  point.value);
    out_.text += family.name + (family.kind == Kind::kCounter ? "_total" : "") + braced(labels) +
                 " " + value;
    const auto* const exemplar =
        family.kind == Kind::kCounter ? exemplar_of(shown_of(family, labels), 0) : nullptr;
    if (exemplar != nullptr) write(*exemplar);
    out_.text += '\n';
    if (exemplars_ == nullptr) out_.exemplars_omitted += point.exemplars.size();
  }

  void write(const Family& family, const std::string& labels, const HistogramPoint& point) {
    const std::string prefix = labels.empty() ? "" : labels + ",";
    const auto* const shown = shown_of(family, labels);
    std::uint64_t cumulative = 0;
    const std::size_t bounds = point.bounds ? point.bounds->size() : 0;
    for (std::size_t i = 0; i <= bounds; ++i) {
      if (i < point.bucket_counts.size()) cumulative += point.bucket_counts[i];
      out_.text += family.name;
      out_.text += "_bucket{";
      out_.text += prefix;
      out_.text += "le=\"";
      out_.text += i < bounds ? bound_text((*point.bounds)[i]) : "+Inf";
      out_.text += "\"} ";
      out_.text += number_text(cumulative);
      if (const auto* exemplar = exemplar_of(shown, point, i)) write(*exemplar);
      out_.text += '\n';
    }
    // The +Inf bucket, so that the series agree whatever the point claims.
    out_.text += family.name + "_count" + braced(labels) + " " + number_text(cumulative) + "\n";
    out_.text += family.name + "_sum" + braced(labels) + " " + number_text(point.sum) + "\n";
    if (exemplars_ == nullptr) out_.exemplars_omitted += point.exemplars.size();
  }

  const ScrapeFormat format_;
  const ShownExemplars* const exemplars_;  // null: the format has no place for them
  std::vector<Target> targets_;
  std::vector<Family> families_;
  bool any_succeeded_ = false;
  std::unordered_map<std::string, const void*> newest_;  // by labels; empty: each stands alone
  Rendered out_;
};

}  // namespace

Rendered render_openmetrics(const MetricBatch& batch, const ShownExemplars& exemplars) {
  return Writer(ScrapeFormat::kOpenMetrics, &exemplars).render(batch);
}

Rendered render_text(const MetricBatch& batch) {
  return Writer(ScrapeFormat::kText, nullptr).render(batch);
}

}  // namespace exa
