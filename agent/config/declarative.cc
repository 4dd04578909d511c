#include "agent/config/declarative.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "agent/config/config_text.h"
#include "agent/config/value_text.h"
#include "agent/config/yaml_source.h"

namespace exa {
namespace {

constexpr std::string_view kVersion = "1.";
constexpr std::size_t kMostWarnings = 50;

// "${NAME}", "${env:NAME}" and "${NAME:-default}"; "$$" is a dollar. What cannot be read so stays.
std::string substituted(std::string_view text, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto end = text.find('}');
    if (!text.starts_with("${") || end == std::string_view::npos) {
      out += text.substr(0, 1);
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
      continue;
    }
    auto name = text.substr(2, end - 2);
    text.remove_prefix(end + 1);
    if (name.starts_with("env:")) name.remove_prefix(4);
    const auto colon = name.find(":-");
    const auto variable = environment.find(name.substr(0, colon));
    if (variable != environment.end() && !variable->second.empty())
      out += variable->second;
    else if (colon != std::string_view::npos)
      out += name.substr(colon + 2);
  }
  return out;
}

// yaml-cpp throws when it is asked of what is not there.
bool is_map(const YAML::Node& node) {
  return node.IsDefined() && node.IsMap();
}
bool is_list(const YAML::Node& node) {
  return node.IsDefined() && node.IsSequence();
}

class DeclarativeReader {
 public:
  DeclarativeReader(std::string_view file_name, const Environment& environment)
      : file_name_(file_name), environment_(environment) {}

  DeclarativeReading read(std::string_view text) {
    if (text.size() > kMaxConfigFileBytes) {
      reading_.problems.push_back(file_name_ + ": larger than 1MiB");
      return std::move(reading_);
    }
    if (const auto problem = problem_of_text(text)) {
      reading_.problems.push_back(file_name_ + ":" + std::to_string(problem->line) + ":" +
                                  std::to_string(problem->column) + ": " + problem->text);
      return std::move(reading_);
    }
    // yaml-cpp reports by exceptions; they end here.
    try {
      read_document(YAML::Load(std::string(without_byte_order_mark(text))));
    } catch (const YAML::Exception& error) {
      reading_.problems.push_back(file_name_ + ":" + std::to_string(error.mark.line + 1) + ":" +
                                  std::to_string(error.mark.column + 1) + ": " + error.msg);
    }
    return std::move(reading_);
  }

 private:
  using Node = YAML::Node;

  [[nodiscard]] std::string place(const Node& node) const {
    const auto mark = node.Mark();
    if (mark.is_null()) return file_name_;
    return file_name_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }
  void ignore(const Node& node, const std::string& what) {
    if (reading_.warnings.size() < kMostWarnings)
      reading_.warnings.push_back(place(node) + ": " + what + " is not supported; ignored");
  }
  [[nodiscard]] std::optional<std::string> value(const Node& node) const {
    if (!node.IsDefined() || !node.IsScalar()) return std::nullopt;
    auto text = substituted(node.Scalar(), environment_);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
  }
  void put(std::string_view key, const Node& node, std::string text) {
    put_entries(key, node, {{"", std::move(text)}});
  }
  void put_entries(std::string_view key, const Node& node, std::vector<SettingEntry> entries) {
    if (!entries.empty())
      reading_.settings.push_back({find_setting(key), std::move(entries), place(node)});
  }
  void put_if_set(std::string_view key, const Node& node) {
    if (auto text = value(node)) put(key, node, std::move(*text));
  }
  void put_milliseconds(std::string_view key, const Node& node) {
    if (auto text = value(node)) put(key, node, *text + "ms");
  }
  // Names everything but what is known here.
  void ignore_others(const Node& node, const std::string& path,
                     std::initializer_list<std::string_view> known) {
    if (!is_map(node)) return;
    for (const auto& member : node) {
      const auto name = member.first.Scalar();
      if (std::ranges::find(known, std::string_view(name)) == known.end())
        ignore(member.first, path.empty() ? name : path + "." + name);
    }
  }

  void read_document(const Node& document) {
    const auto version = is_map(document) ? value(document["file_format"]) : std::nullopt;
    if (!version || !version->starts_with(kVersion)) {
      reading_.problems.push_back(file_name_ +
                                  ": file_format is not 1.x; is this OpenTelemetry's declarative "
                                  "configuration?");
      return;
    }
    ignore_others(document, "",
                  {"file_format", "disabled", "log_level", "resource", "propagator",
                   "tracer_provider", "meter_provider", "attribute_limits"});
    read_resource(document["resource"]);
    read_propagator(document["propagator"]);
    put_if_set("log.level", document["log_level"]);
    // What has no provider is not exported.
    has_traces_ = has_metrics_ = has_page_ = false;
    read_tracer_provider(document["tracer_provider"]);
    read_meter_provider(document["meter_provider"]);
    const bool disabled = value(document["disabled"]) == "true";
    if (disabled || !has_traces_) put("otlp.traces.enabled", document, "false");
    if (disabled || !has_metrics_) put("otlp.metrics.enabled", document, "false");
    if (disabled || !has_page_) put("openmetrics.listen", document, "off");
  }

  // The agent speaks for many services: a name or an instance for all of them would merge them.
  void read_resource(const Node& resource) {
    if (!is_map(resource)) return;
    ignore_others(resource, "resource", {"attributes", "attributes_list"});
    std::vector<SettingEntry> entries;
    const auto add = [&](std::string name, std::string text) {
      if (name == "service.name" || name == "service.instance.id") return;
      std::erase_if(entries, [&](const auto& entry) { return entry.key == name; });
      entries.push_back({std::move(name), std::move(text)});
    };
    if (const auto list = value(resource["attributes_list"]))
      for (auto& [name, text] : parse_pairs(*list))
        add(std::move(name), std::move(text));
    if (is_list(resource["attributes"]))
      for (const auto& attribute : resource["attributes"]) {
        auto name = is_map(attribute) ? value(attribute["name"]) : std::nullopt;
        auto text = is_map(attribute) ? value(attribute["value"]) : std::nullopt;
        if (name && text)
          add(std::move(*name), std::move(*text));
        else
          ignore(attribute, "a resource attribute without a plain value");
      }
    put_entries("targets.resource", resource, std::move(entries));
  }

  // Baggage, which is no context, identifies nothing.
  void read_propagator(const Node& propagator) {
    if (!is_map(propagator)) return;
    ignore_others(propagator, "propagator", {"composite", "composite_list"});
    const auto& setting = *find_setting("propagators");
    std::vector<SettingEntry> entries;
    const auto add = [&](const Node& node, std::string_view name) {
      const SettingEntry entry{"", std::string(name)};
      if (Config alone; setting.apply(alone, std::span(&entry, 1)))
        entries.push_back(entry);
      else if (name != "baggage")
        ignore(node, "the propagator " + std::string(name));
    };
    if (is_list(propagator["composite"]))
      for (const auto& one : propagator["composite"])
        if (is_map(one) && one.size() == 1) add(one, one.begin()->first.Scalar());
    if (const auto list = value(propagator["composite_list"]))
      for (std::string_view rest = *list; !rest.empty();) {
        const auto name = trimmed(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(rest.size(), rest.find(',')));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
        if (!name.empty()) add(propagator["composite_list"], name);
      }
    put_entries("propagators", propagator, std::move(entries));
  }

  void read_tracer_provider(const Node& provider) {
    if (!is_map(provider)) return;
    ignore_others(provider, "tracer_provider", {"processors", "limits"});
    if (!is_list(provider["processors"])) return;
    for (const auto& processor : provider["processors"]) {
      if (!is_map(processor) || !is_map(processor["batch"])) {
        ignore(processor, "a span processor other than batch");
        continue;
      }
      has_traces_ = read_exporter(processor["batch"]["exporter"], "otlp.traces.") || has_traces_;
    }
  }

  void read_meter_provider(const Node& provider) {
    if (!is_map(provider)) return;
    ignore_others(provider, "meter_provider", {"readers", "exemplar_filter"});
    if (value(provider["exemplar_filter"]) == "always_off")
      put("exemplars.budget", provider["exemplar_filter"], "0");
    if (!is_list(provider["readers"])) return;
    for (const auto& reader : provider["readers"]) {
      if (is_map(reader) && is_map(reader["periodic"])) {
        const auto periodic = reader["periodic"];
        put_milliseconds("window", periodic["interval"]);
        has_metrics_ = read_exporter(periodic["exporter"], "otlp.metrics.") || has_metrics_;
      } else if (is_map(reader) && is_map(reader["pull"])) {
        read_page(reader["pull"]["exporter"]);
      } else {
        ignore(reader, "a metric reader other than periodic and pull");
      }
    }
  }

  void read_page(const Node& exporter) {
    if (!is_map(exporter) || exporter.size() != 1 ||
        !exporter.begin()->first.Scalar().starts_with("prometheus")) {
      ignore(exporter, "a pull exporter other than prometheus");
      return;
    }
    const auto settings = exporter.begin()->second;
    const OpenMetricsSettings defaults;
    const auto host = is_map(settings) ? value(settings["host"]) : std::nullopt;
    const auto port = is_map(settings) ? value(settings["port"]) : std::nullopt;
    put("openmetrics.listen", exporter,
        host.value_or(defaults.host) + ":" + port.value_or(std::to_string(defaults.port)));
    has_page_ = true;
  }

  // True: it is one of ours.
  bool read_exporter(const Node& exporter, const std::string& keys) {
    if (!is_map(exporter) || exporter.size() != 1) return false;
    const auto kind = exporter.begin()->first.Scalar();
    const auto settings = exporter.begin()->second;
    if (kind != "otlp_http" && kind != "otlp_grpc") {
      ignore(exporter, "the exporter " + kind);
      return false;
    }
    const bool grpc = kind == "otlp_grpc";
    put(keys + "protocol", exporter, grpc ? "grpc" : "http/protobuf");
    const auto endpoint = is_map(settings) ? value(settings["endpoint"]) : std::nullopt;
    const std::string path = keys == "otlp.traces." ? "/v1/traces" : "/v1/metrics";
    put(keys + "endpoint", exporter,
        endpoint.value_or(grpc ? "http://localhost:4317" : "http://localhost:4318" + path));
    if (!is_map(settings)) return true;
    ignore_others(settings, kind,
                  {"endpoint", "tls", "headers", "headers_list", "compression", "timeout",
                   "default_histogram_aggregation", "temporality_preference", "encoding"});
    put_if_set(keys + "compression", settings["compression"]);
    put_milliseconds(keys + "timeout", settings["timeout"]);
    read_tls(settings["tls"], keys);
    read_headers(settings, keys);
    if (value(settings["default_histogram_aggregation"]) == "base2_exponential_bucket_histogram")
      put("metrics.histograms", settings, "exponential");
    if (value(settings["temporality_preference"]).value_or("cumulative") != "cumulative")
      ignore(settings["temporality_preference"], "another temporality than cumulative");
    if (value(settings["encoding"]).value_or("protobuf") != "protobuf")
      ignore(settings["encoding"], "another encoding than protobuf");
    return true;
  }

  // The names of the first release candidates, and those of the release.
  void read_tls(const Node& tls, const std::string& keys) {
    if (!is_map(tls)) return;
    for (const auto& [key, names] :
         {std::pair("certificate", std::array{"ca_file", "certificate_file"}),
          std::pair("client_certificate", std::array{"cert_file", "client_certificate_file"}),
          std::pair("client_key", std::array{"key_file", "client_key_file"})})
      for (const char* const name : names)
        put_if_set(keys + key, tls[name]);
    ignore_others(tls, "tls",
                  {"ca_file", "certificate_file", "cert_file", "client_certificate_file", "key_file",
                   "client_key_file", "insecure"});
  }

  void read_headers(const Node& settings, const std::string& keys) {
    std::vector<SettingEntry> entries;
    const auto add = [&](std::string name, std::string text) {
      std::erase_if(entries, [&](const auto& entry) { return entry.key == name; });
      entries.push_back({std::move(name), std::move(text)});
    };
    if (const auto list = value(settings["headers_list"]))
      for (auto& [name, text] : parse_pairs(*list))
        add(std::move(name), std::move(text));
    if (is_list(settings["headers"]))
      for (const auto& header : settings["headers"]) {
        auto name = is_map(header) ? value(header["name"]) : std::nullopt;
        auto text = is_map(header) ? value(header["value"]) : std::nullopt;
        if (name && text) add(std::move(*name), std::move(*text));
      }
    put_entries(keys + "headers", settings, std::move(entries));
  }

  const std::string file_name_;
  const Environment& environment_;
  DeclarativeReading reading_;
  bool has_traces_ = false;
  bool has_metrics_ = false;
  bool has_page_ = false;
};

}  // namespace

DeclarativeReading read_declarative(std::string_view file_name, std::string_view text,
                                    const Environment& environment) {
  return DeclarativeReader(file_name, environment).read(text);
}

}  // namespace exa
