#include "agent/config/declarative_exporters.h"

#include <array>
#include <utility>

#include "agent/config/value_text.h"
#include "exa/model/address.h"

namespace exa {

bool DeclarativeExporters::take_traces(const Node& exporter, const Node& owner) {
  return take_otlp(exporter, owner, "traces", has_traces_);
}

bool DeclarativeExporters::take_metrics(const Node& exporter, const Node& owner) {
  return take_otlp(exporter, owner, "metrics", has_metrics_);
}

bool DeclarativeExporters::take_otlp(const Node& exporter, const Node& owner,
                                     const std::string& signal, bool& taken) {
  if (!is_map(exporter) || exporter.size() != 1) {
    source_.ignore(owner, "an exporter of " + signal + " that is not a map of one exporter");
    return false;
  }
  const auto kind = exporter.begin()->first.Scalar();
  const auto settings = exporter.begin()->second;
  if (kind != "otlp_http" && kind != "otlp_grpc") {
    source_.ignore(exporter, "the exporter " + kind);
    return false;
  }
  if (taken) {
    source_.ignore(exporter, "a second exporter of " + signal);
    return false;
  }
  if (!settings.IsNull() && !source_.has_map(settings, "the exporter " + kind)) return false;
  const bool grpc = kind == "otlp_grpc";
  const bool of_metrics = signal == "metrics";
  // Nor is anything else taken if there is nowhere to send to: our own file's backend would be
  // given this one's credentials.
  auto endpoint = endpoint_of(settings, signal, grpc);
  if (!endpoint) {
    source_.warn(exporter, "the exporter " + kind + ": " + endpoint.error().text);
    return false;
  }
  taken = true;
  const auto keys = "otlp." + signal + ".";
  source_.ignore_others(
      settings, kind,
      {"endpoint", "tls", "headers", "headers_list", "compression", "timeout",
       grpc ? "endpoint" : "encoding", of_metrics ? "default_histogram_aggregation" : "endpoint",
       of_metrics ? "temporality_preference" : "endpoint"});
  // What is omitted is what the schema says, and nothing of what our own file says of a backend:
  // its credentials are not this one's.
  source_.put(keys + "protocol", exporter, grpc ? "grpc" : "http/protobuf");
  source_.put(keys + "endpoint", exporter, std::move(*endpoint));
  source_.put(keys + "compression", exporter,
              source_.value_of(settings, "compression").value_or("none"));
  source_.put(keys + "timeout", exporter,
              source_.value_of(settings, "timeout").value_or("10000") + "ms");
  read_tls(is_map(settings) ? settings["tls"] : Node(), exporter, keys, grpc);
  read_headers(settings, exporter, keys);
  if (of_metrics) read_temporality(settings, exporter);
  if (!is_map(settings)) return true;
  if (of_metrics) read_aggregation(settings);
  if (source_.value(settings["encoding"]).value_or("protobuf") != "protobuf")
    source_.ignore(settings["encoding"], "another encoding than protobuf");
  return true;
}

void DeclarativeExporters::read_temporality(const Node& settings, const Node& exporter) {
  const auto preference =
      source_.value_of(settings, "temporality_preference").value_or("cumulative");
  const bool delta = preference == "delta" || preference == "low_memory";
  if (!delta && preference != "cumulative")
    source_.ignore(settings["temporality_preference"],
                   "another temporality than cumulative, delta and low_memory");
  source_.put("otlp.metrics.temporality", exporter, delta ? "delta" : "cumulative");
}

// Of gRPC it may come without a scheme: then it is encrypted, unless that is not wanted.
Result<std::string> DeclarativeExporters::endpoint_of(const Node& settings,
                                                      const std::string& signal, bool grpc) {
  if (is_map(settings) && settings["endpoint"] && !settings["endpoint"].IsNull() &&
      !settings["endpoint"].IsScalar())
    return fail("its endpoint is a list or map");
  auto endpoint =
      source_.value_of(settings, "endpoint")
          .value_or(grpc ? "http://localhost:4317" : "http://localhost:4318/v1/" + signal);
  if (grpc && !endpoint.contains("://")) {
    const bool insecure =
        is_map(settings) && is_map(settings["tls"]) && source_.is_true(settings["tls"]["insecure"]);
    endpoint = (insecure ? "http://" : "https://") + endpoint;
  }
  return parse_url(endpoint);
}

// The names of the first release candidates, and those of the release.
void DeclarativeExporters::read_tls(const Node& tls, const Node& exporter, const std::string& keys,
                                    bool grpc) {
  static_cast<void>(source_.has_map(tls, "a value of tls"));
  for (const auto& [key, names] :
       {std::pair("certificate", std::array{"ca_file", "certificate_file"}),
        std::pair("client_certificate", std::array{"cert_file", "client_certificate_file"}),
        std::pair("client_key", std::array{"key_file", "client_key_file"})}) {
    std::string file;
    for (const char* const name : names)
      if (const auto text = source_.value_of(tls, name)) file = *text;
    source_.put(keys + key, exporter, std::move(file));
  }
  source_.ignore_others(tls, "tls",
                        {"ca_file", "certificate_file", "cert_file", "client_certificate_file",
                         "key_file", "client_key_file", grpc ? "insecure" : "ca_file"});
}

void DeclarativeExporters::read_headers(const Node& settings, const Node& exporter,
                                        const std::string& keys) {
  std::vector<SettingEntry> entries;
  if (is_map(settings)) {
    entries = source_.pairs(settings["headers_list"]);
    if (source_.has_list(settings["headers"], "a value of headers"))
      for (const auto& header : settings["headers"]) {
        auto name = source_.value_of(header, "name");
        auto text = source_.value_of(header, "value");
        if (name && text)
          add_entry(entries, {std::move(*name), std::move(*text)});
        else
          source_.ignore(header, "a header without a name and a plain value");
      }
  }
  // Those of our own file must not stay where one of these turns out to be unusable.
  if (!entries.empty()) source_.put_entries(keys + "headers", exporter, {});
  source_.put_entries(keys + "headers", exporter, std::move(entries));
}

void DeclarativeExporters::read_aggregation(const Node& settings) {
  const auto node = settings["default_histogram_aggregation"];
  const auto text = source_.value(node);
  if (text == "base2_exponential_bucket_histogram")
    source_.put("metrics.histograms", node, "exponential");
  else if (text == "explicit_bucket_histogram")
    source_.put("metrics.histograms", node, "explicit");
  else if (text)
    source_.ignore(node, "the histogram aggregation " + *text);
}

bool DeclarativeExporters::take_page(const Node& exporter, const Node& owner) {
  const auto kind =
      is_map(exporter) && exporter.size() == 1 ? exporter.begin()->first.Scalar() : std::string();
  if (kind != "prometheus" && kind != "prometheus/development") {
    source_.ignore(owner, "a pull exporter other than prometheus");
    return false;
  }
  if (has_page_) {
    source_.ignore(exporter, "a second pull exporter");
    return false;
  }
  const auto settings = exporter.begin()->second;
  if (!settings.IsNull() && !source_.has_map(settings, "the exporter " + kind)) return false;
  source_.ignore_others(settings, kind, {"host", "port"});
  const OpenMetricsSettings defaults;
  const auto text = source_.value_of(settings, "port");
  const auto port = text ? parse_count(*text, 0, 65'535) : Result<std::uint64_t>(defaults.port);
  if (!port) source_.ignore(settings["port"], "the port '" + text->substr(0, 80) + "'");
  source_.put("openmetrics.listen", exporter,
              host_port_text(source_.value_of(settings, "host").value_or(defaults.host),
                             static_cast<std::uint16_t>(port.value_or(defaults.port))));
  has_page_ = true;
  return true;
}

}  // namespace exa
