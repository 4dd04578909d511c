#include "agent/config/declarative.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "agent/config/declarative_exporters.h"
#include "agent/config/declarative_source.h"
#include "agent/config/value_text.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr std::string_view kVersion = "1.";

class DeclarativeReader {
 public:
  explicit DeclarativeReader(DeclarativeSource& source) : source_(source), exporters_(source) {}

  void read(const YAML::Node& document) {
    const auto version = source_.value_of(document, "file_format");
    if (!version || !version->starts_with(kVersion)) {
      source_.problem(document,
                      "file_format is not 1.x; is this OpenTelemetry's declarative configuration?");
      return;
    }
    source_.ignore_others(document, "",
                          {"file_format", "disabled", "log_level", "resource", "propagator",
                           "tracer_provider", "meter_provider"});
    read_resource(document["resource"]);
    read_propagator(document["propagator"]);
    if (auto level = source_.value(document["log_level"]))
      source_.put("log.level", document["log_level"], std::move(*level));
    read_tracer_provider(document["tracer_provider"]);
    read_meter_provider(document["meter_provider"]);
    // What has no provider is not exported, and what has one is, whatever our own file says of
    // another backend. Of logs it says nothing yet.
    const bool disabled = source_.is_true(document["disabled"]);
    const auto put_enabled = [&](const char* key, bool has_exporter) {
      source_.put(key, document, has_exporter && !disabled ? "true" : "false");
    };
    put_enabled("otlp.traces.enabled", exporters_.has_traces());
    put_enabled("otlp.metrics.enabled", exporters_.has_metrics());
    if (disabled) source_.put("otlp.logs.enabled", document, "false");
    if (disabled || !exporters_.has_page()) source_.put("openmetrics.listen", document, "off");
  }

 private:
  using Node = YAML::Node;

  // The agent speaks for many services: a name or an instance for all of them would merge them.
  void read_resource(const Node& resource) {
    if (!source_.has_map(resource, "a resource")) return;
    source_.ignore_others(resource, "resource", {"attributes", "attributes_list"});
    std::vector<SettingEntry> entries;
    const auto add = [&](const Node& node, SettingEntry entry) {
      if (entry.key == "service.name" || entry.key == "service.instance.id")
        source_.ignore(node, entry.key + ", which would be that of all processes,");
      else
        add_entry(entries, std::move(entry));
    };
    for (auto& entry : source_.pairs(resource["attributes_list"]))
      add(resource["attributes_list"], std::move(entry));
    if (source_.has_list(resource["attributes"], "a value of attributes"))
      for (const auto& attribute : resource["attributes"]) {
        auto name = source_.value_of(attribute, "name");
        auto text = source_.value_of(attribute, "value");
        if (name && text)
          add(attribute, {std::move(*name), std::move(*text)});
        else
          source_.ignore(attribute, "a resource attribute without a plain value");
      }
    if (!entries.empty()) source_.put_entries("targets.resource", resource, std::move(entries));
  }

  // Baggage, which is no context, identifies nothing. Without propagators an SDK would neither read
  // nor write contexts; the agent writes none anyway, and goes on to read what it read.
  void read_propagator(const Node& propagator) {
    if (!source_.has_map(propagator, "a propagator")) return;
    source_.ignore_others(propagator, "propagator", {"composite", "composite_list"});
    const auto& setting = *find_setting("propagators");
    std::vector<SettingEntry> entries;
    const auto add = [&](const Node& node, std::string_view name) {
      const SettingEntry entry{"", std::string(name)};
      if (Config alone; setting.apply(alone, std::span(&entry, 1)))
        entries.push_back(entry);
      else if (name != "baggage")
        source_.ignore(node, "the propagator " + std::string(name));
    };
    if (source_.has_list(propagator["composite"], "a value of composite")) {
      for (const auto& one : propagator["composite"]) {
        if (is_map(one) && one.size() == 1)
          add(one, one.begin()->first.Scalar());
        else
          source_.ignore(one, "a propagator that is not a map of one name");
      }
    }
    if (const auto list = source_.value(propagator["composite_list"]))
      for (std::string_view rest = *list; !rest.empty();) {
        const auto name = trimmed(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(rest.size(), rest.find(',')));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
        if (!name.empty()) add(propagator["composite_list"], name);
      }
    if (!entries.empty()) source_.put_entries("propagators", propagator, std::move(entries));
  }

  void read_tracer_provider(const Node& provider) {
    if (!source_.has_map(provider, "a tracer provider")) return;
    source_.ignore_others(provider, "tracer_provider", {"processors"});
    if (!source_.has_list(provider["processors"], "a value of processors")) return;
    for (const auto& processor : provider["processors"]) {
      if (!is_map(processor) || !is_map(processor["batch"])) {
        source_.ignore(processor, "a span processor other than batch");
        continue;
      }
      const auto batch = processor["batch"];
      source_.ignore_others(batch, "batch", {"exporter"});
      exporters_.take_traces(batch["exporter"], processor);
    }
  }

  void read_meter_provider(const Node& provider) {
    if (!source_.has_map(provider, "a meter provider")) return;
    source_.ignore_others(provider, "meter_provider", {"readers", "exemplar_filter"});
    read_exemplar_filter(provider["exemplar_filter"]);
    if (!source_.has_list(provider["readers"], "a value of readers")) return;
    for (const auto& reader : provider["readers"]) {
      if (is_map(reader) && is_map(reader["periodic"])) {
        const auto periodic = reader["periodic"];
        source_.ignore_others(periodic, "periodic", {"interval", "exporter"});
        if (exporters_.take_metrics(periodic["exporter"], reader))
          source_.put_milliseconds("window", periodic["interval"]);
      } else if (is_map(reader) && is_map(reader["pull"])) {
        source_.ignore_others(reader["pull"], "pull", {"exporter"});
        exporters_.take_page(reader["pull"]["exporter"], reader);
      } else {
        source_.ignore(reader, "a metric reader other than periodic and pull");
      }
    }
  }

  void read_exemplar_filter(const Node& filter) {
    const auto text = source_.value(filter);
    if (text == "always_off")
      source_.put("exemplars.budget", filter, "0");
    else if (text == "trace_based")
      source_.put("exemplars.policy", filter, "trace_based");
    else if (text && text != "always_on")
      source_.ignore(filter, "the exemplar filter " + *text);
  }

  DeclarativeSource& source_;
  DeclarativeExporters exporters_;
};

}  // namespace

DeclarativeReading read_declarative(std::string_view file_name, std::string_view text,
                                    const Environment& environment) {
  DeclarativeSource source(file_name, environment);
  source.parse(text,
               [&source](const YAML::Node& document) { DeclarativeReader(source).read(document); });
  return std::move(source).result();
}

}  // namespace exa
