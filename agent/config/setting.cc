#include "agent/config/setting.h"

#include <algorithm>

#include "agent/config/setting_rows.h"
#include "agent/config/setting_values.h"
#include "exa/model/address.h"

namespace exa {
namespace {

using namespace setting_values;

const Setting kSettings[] = {
    {"window", "--window", "DURATION", SettingShape::kScalar, false,
     "how often histograms and exemplars are published",
     [](Config& c, Entries e) { return store_duration(e, milliseconds(100), hours(1), c.window); },
     [](const Config& c) { return one(duration_text(c.window)); }},
    {"output", "--output", "auto|table|json|none", SettingShape::kScalar, false,
     "what to print on standard output; auto is table on a terminal, else none",
     [](Config& c, Entries e) { return store_name(e, kOutputs, c.output); },
     [](const Config& c) { return print_name(kOutputs, c.output); }},
    {"table.rows", "--rows", "COUNT", SettingShape::kScalar, false,
     "maximum number of table rows; a terminal shows as many as fit",
     [](Config& c, Entries e) { return store(parse_count(e[0].value, 1, 1000), c.table.rows); },
     [](const Config& c) { return one(std::to_string(c.table.rows)); }},
    {"table.sort", "--sort", "time|rate|errors|p99|max|name", SettingShape::kScalar, false,
     "sort order of services and rows in the table, highest first; time is the total time of all "
     "requests",
     [](Config& c, Entries e) { return store_name(e, kTableOrders, c.table.order); },
     [](const Config& c) { return print_name(kTableOrders, c.table.order); }},
    {"record", "--record", "FILE", SettingShape::kScalar, false,
     "write the raw events to FILE, for 'replay'; holds heads of captured messages",
     [](Config& c, Entries e) { return store_text(e, c.record_path); },
     [](const Config& c) { return one_unless_empty(c.record_path); }},
    {"lock_file", "--lock-file", "FILE", SettingShape::kScalar, false,
     "held while the agent runs, so that only one does",
     [](Config& c, Entries e) { return store_text(e, c.lock_path); },
     [](const Config& c) { return one(c.lock_path); }},

    EXA_PATTERN_ROWS(include, "observe only"),
    EXA_PATTERN_ROWS(exclude, "exclude"),
    {"targets.service_names", "", "GLOB: NAME", SettingShape::kMap, false,
     "service.name of processes whose executable matches; overrides what the process says",
     [](Config& c, Entries e) { return store_map(e, c.targets.service_names); },
     [](const Config& c) { return print_map(c.targets.service_names); }},
    {"targets.resource", "", "KEY: VALUE", SettingShape::kMap, false,
     "attributes added to the resource of every process",
     [](Config& c, Entries e) { return store_map(e, c.targets.resource); },
     [](const Config& c) { return print_map(c.targets.resource); }},

    {"containers.names", "", "BOOL", SettingShape::kScalar, false,
     "outside Kubernetes, read container names and images from the files of the container engine",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.containers.names); },
     [](const Config& c) { return one_bool(c.containers.names); }},
    {"containers.docker", "", "FOLDER", SettingShape::kScalar, false,
     "where Docker keeps its state (its data-root)",
     [](Config& c, Entries e) { return store_text(e, c.containers.docker); },
     [](const Config& c) { return one(c.containers.docker); }},
    {"containers.podman", "", "FOLDER", SettingShape::kScalar, false,
     "where Podman keeps its state (its graphroot)",
     [](Config& c, Entries e) { return store_text(e, c.containers.podman); },
     [](const Config& c) { return one(c.containers.podman); }},
    {"containers.containerd", "", "FOLDER", SettingShape::kScalar, false,
     "where containerd keeps its runtime state (its state), as for nerdctl",
     [](Config& c, Entries e) { return store_text(e, c.containers.containerd); },
     [](const Config& c) { return one(c.containers.containerd); }},

    {"kubernetes.enabled", "", "BOOL", SettingShape::kScalar, false,
     "in a pod, name processes after the pods of this node",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.kubernetes.enabled); },
     [](const Config& c) { return one_bool(c.kubernetes.enabled); }},
    {"kubernetes.source", "", "api|kubelet", SettingShape::kScalar, false,
     "source of the pods: a watch on the API server, or polling this node's kubelet",
     [](Config& c, Entries e) { return store_name(e, kPodSources, c.kubernetes.source); },
     [](const Config& c) { return print_name(kPodSources, c.kubernetes.source); }},
    {"kubernetes.kubelet.url", "", "URL", SettingShape::kScalar, false,
     "URL of the kubelet; if unset, https://NODE_IP:10250 with the variable NODE_IP",
     [](Config& c, Entries e) { return store(parse_url(e[0].value), c.kubernetes.kubelet.url); },
     [](const Config& c) { return one_unless_empty(c.kubernetes.kubelet.url); }},
    {"kubernetes.kubelet.ca", "", "FILE", SettingShape::kScalar, false,
     "PEM file of the authority that signed the kubelet's certificate; if unset, the service "
     "account's ca.crt",
     [](Config& c, Entries e) { return store_text(e, c.kubernetes.kubelet.ca); },
     [](const Config& c) { return one_unless_empty(c.kubernetes.kubelet.ca); }},
    {"kubernetes.kubelet.insecure", "", "BOOL", SettingShape::kScalar, false,
     "accept any certificate from the kubelet, since many are self-signed; the token goes to "
     "whoever answers",
     [](Config& c, Entries e) {
       return store(parse_bool(e[0].value), c.kubernetes.kubelet.insecure);
     },
     [](const Config& c) { return one_bool(c.kubernetes.kubelet.insecure); }},
    {"kubernetes.use_labels", "", "BOOL", SettingShape::kScalar, false,
     "take names and versions from the labels app.kubernetes.io/instance, name and version",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.kubernetes.use_labels); },
     [](const Config& c) { return one_bool(c.kubernetes.use_labels); }},

    {"capture.ring_size", "--ring-size", "SIZE", SettingShape::kScalar, false,
     "ring buffer between kernel and agent, a power of two",
     [](Config& c, Entries e) {
       return store_size(e, 256u << 10, 1u << 30, true, c.capture.ring_size_bytes);
     },
     [](const Config& c) { return one(size_text(c.capture.ring_size_bytes)); }},
    {"capture.budget", "", "SIZE", SettingShape::kScalar, false,
     "maximum bytes captured per message head",
     [](Config& c, Entries e) { return store_size(e, 256, 4096, false, c.capture.budget_bytes); },
     [](const Config& c) { return one(size_text(c.capture.budget_bytes)); }},

    {"tls.enabled", "--tls", "BOOL", SettingShape::kScalar, false,
     "read what passes through OpenSSL, BoringSSL, GnuTLS and Go's crypto/tls",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.tls.enabled); },
     [](const Config& c) { return one_bool(c.tls.enabled); }},
    {"tls.ignore", "", "NAME", SettingShape::kList, false,
     "names of executables whose processes do not cause a TLS library to be probed",
     [](Config& c, Entries e) { return store_texts(e, c.tls.ignored_executables, false); },
     [](const Config& c) { return print_list(c.tls.ignored_executables); }},

    {"propagators", "", "tracecontext|b3|b3multi|jaeger|xray|datadog|none", SettingShape::kList,
     false, "formats of trace contexts to read; of several, the last valid one in the list counts",
     [](Config& c, Entries e) { return store_propagators(e, c.propagators); },
     [](const Config& c) { return print_propagators(c.propagators); }},

    {"exemplars.budget", "--exemplar-budget", "N", SettingShape::kScalar, false,
     "maximum exemplar spans exported per window; 0 turns exemplars off",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 0, 100'000), c.exemplars.spans_per_window);
     },
     [](const Config& c) { return one(std::to_string(c.exemplars.spans_per_window)); }},
    {"exemplars.budget_min", "", "N", SettingShape::kScalar, false,
     "exemplar spans per window that are still exported while the backend or the agent cannot keep "
     "up with exemplars.budget",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 100'000), c.exemplars.least_spans_per_window);
     },
     [](const Config& c) { return one(std::to_string(c.exemplars.least_spans_per_window)); }},
    {"exemplars.budget_max", "", "N", SettingShape::kScalar, false,
     "exemplar spans per window while a service uses up its error budget fast; 0: not more than "
     "exemplars.budget",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 0, 100'000), c.exemplars.most_spans_per_window);
     },
     [](const Config& c) { return one(std::to_string(c.exemplars.most_spans_per_window)); }},
    {"exemplars.objective", "", "SHARE", SettingShape::kScalar, false,
     "share of a service's requests that is to succeed, by which exemplars.budget_max judges "
     "errors",
     [](Config& c, Entries e) { return store_objective(e, c.exemplars.objective); },
     [](const Config& c) { return one(decimal_text(c.exemplars.objective)); }},
    {"exemplars.floor", "", "SHARE", SettingShape::kScalar, false,
     "share of all requests whose spans are exported in addition, the same traces on every node",
     [](Config& c, Entries e) { return store(parse_ratio(e[0].value), c.exemplars.floor); },
     [](const Config& c) { return one(decimal_text(c.exemplars.floor)); }},
    {"exemplars.presume_random", "", "BOOL", SettingShape::kScalar, false,
     "treat trace ids without the W3C random flag as random",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.exemplars.presume_random); },
     [](const Config& c) { return one_bool(c.exemplars.presume_random); }},
    {"exemplars.why", "", "BOOL", SettingShape::kScalar, false,
     "say on each span where the time of the request went",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.exemplars.why); },
     [](const Config& c) { return one_bool(c.exemplars.why); }},
    {"exemplars.why_exact", "", "BOOL", SettingShape::kScalar, false,
     "follow each sleep of the threads, and when answers are acknowledged; slow requests are still "
     "looked at, to know event loops; needs exemplars.why, and costs at each switch of a thread "
     "and "
     "each TCP segment received",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.exemplars.why_exact); },
     [](const Config& c) { return one_bool(c.exemplars.why_exact); }},
    {"exemplars.beside_sdk", "", "link|skip", SettingShape::kScalar, false,
     "for processes whose SDK exports spans: link ours to them, or skip ours",
     [](Config& c, Entries e) { return store_name(e, kBesideSdk, c.exemplars.beside_sdk); },
     [](const Config& c) { return print_name(kBesideSdk, c.exemplars.beside_sdk); }},
    {"exemplars.policy", "", "POLICY", SettingShape::kScalar, false,
     "which requests may become exemplars, such as any_of(outlier(500ms), probability(1%))",
     [](Config& c, Entries e) {
       return store(parse_policy(e[0].value), c.exemplars.policies.policy);
     },
     [](const Config& c) { return one(policy_text(c.exemplars.policies.policy)); }},
    {"exemplars.rules", "", "RULE", SettingShape::kList, false,
     "requests with another policy, such as 'service=checkout route=/api/ -> always'; the first "
     "rule that matches applies",
     [](Config& c, Entries e) { return store_policy_rules(e, c.exemplars.policies.rules); },
     [](const Config& c) { return print_policy_rules(c.exemplars.policies.rules); }},
    {"exemplars.store.per_series", "", "N", SettingShape::kScalar, false,
     "exemplars of a series that the OpenMetrics endpoint keeps for scrapers, at most one a bucket",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 100), c.exemplars.store.per_series);
     },
     [](const Config& c) { return one(std::to_string(c.exemplars.store.per_series)); }},
    {"exemplars.store.total", "", "N", SettingShape::kScalar, false,
     "exemplars that the OpenMetrics endpoint keeps for scrapers in all",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 1'000'000), c.exemplars.store.total);
     },
     [](const Config& c) { return one(std::to_string(c.exemplars.store.total)); }},
    {"exemplars.store.ttl", "", "DURATION", SettingShape::kScalar, false,
     "for how long it keeps one after its request has ended",
     [](Config& c, Entries e) {
       return store_duration(e, std::chrono::seconds(1), hours(24), c.exemplars.store.keep);
     },
     [](const Config& c) { return one(duration_text(c.exemplars.store.keep)); }},
    {"exemplars.store.eviction", "", "oldest|smallest_value", SettingShape::kScalar, false,
     "which of them goes when there are too many",
     [](Config& c, Entries e) { return store_name(e, kEvictions, c.exemplars.store.eviction); },
     [](const Config& c) { return print_name(kEvictions, c.exemplars.store.eviction); }},
    {"exemplars.seed", "", "HEX", SettingShape::kScalar, true,
     "32 hex digits, the same on every node of a fleet; generated at startup if unset",
     [](Config& c, Entries e) { return store_seed(e, c.exemplars.seed); },
     [](const Config& c) { return one_unless_empty(c.exemplars.seed); }},

    {"routes.known", "", "ROUTE", SettingShape::kList, false,
     "routes of services, such as /orders/{id} or 'service=shop /static/*': requests that match "
     "get "
     "http.route, in metrics and spans; the first that matches counts",
     [](Config& c, Entries e) { return store_routes(e, c.routes.known); },
     [](const Config& c) { return print_routes(c.routes.known); }},
    {"routes.ignore", "", "ROUTE", SettingShape::kList, false,
     "requests that are not counted at either end, such as /healthz, or with service=NAME only at "
     "that server's",
     [](Config& c, Entries e) { return store_routes(e, c.routes.ignored); },
     [](const Config& c) { return print_routes(c.routes.ignored); }},
    {"routes.learn", "", "BOOL", SettingShape::kScalar, false,
     "learn the routes of services from their requests, where none is known",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.routes.learn); },
     [](const Config& c) { return one_bool(c.routes.learn); }},
    {"routes.learn_limit", "", "N", SettingShape::kScalar, false,
     "maximum routes learnt per service",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 1'000), c.routes.learnt_per_service);
     },
     [](const Config& c) { return one(std::to_string(c.routes.learnt_per_service)); }},

    {"metrics.histograms", "", "explicit|exponential", SettingShape::kScalar, false,
     "buckets of histograms over OTLP: those of the semantic conventions, or exponential ones of "
     "up to 160 buckets; the OpenMetrics endpoint has explicit ones",
     [](Config& c, Entries e) { return store_name(e, kHistogramForms, c.metrics.histograms); },
     [](const Config& c) { return print_name(kHistogramForms, c.metrics.histograms); }},
    {"metrics.body_size", "", "BOOL", SettingShape::kScalar, false,
     "also record http.server.request.body.size and http.server.response.body.size",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.metrics.body_size); },
     [](const Config& c) { return one_bool(c.metrics.body_size); }},
    {"metrics.active_requests", "", "BOOL", SettingShape::kScalar, false,
     "also record http.server.active_requests, those open when a window closes",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.metrics.active_requests); },
     [](const Config& c) { return one_bool(c.metrics.active_requests); }},
    {"metrics.time_spent", "", "BOOL", SettingShape::kScalar, false,
     "also record where the time of all requests went, and retransmits; needs exemplars.why",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.metrics.time_spent); },
     [](const Config& c) { return one_bool(c.metrics.time_spent); }},

    {"metrics.span_metrics", "", "BOOL", SettingShape::kScalar, false,
     "also record traces_spanmetrics_calls_total and traces_spanmetrics_latency, as Grafana "
     "Tempo's "
     "metrics-generator names them, of all requests",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.metrics.span_metrics); },
     [](const Config& c) { return one_bool(c.metrics.span_metrics); }},
    {"metrics.service_graph", "", "BOOL", SettingShape::kScalar, false,
     "also record which service asks which, as traces_service_graph_*, as Tempo names them",
     [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.metrics.service_graph); },
     [](const Config& c) { return one_bool(c.metrics.service_graph); }},

    {"series.per_metric", "", "N", SettingShape::kScalar, false,
     "maximum series per metric; any further ones are counted in one overflow series",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 1'000'000), c.series.per_metric);
     },
     [](const Config& c) { return one(std::to_string(c.series.per_metric)); }},
    {"series.per_service", "", "N", SettingShape::kScalar, false,
     "maximum series per service and metric",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 1'000'000), c.series.per_service);
     },
     [](const Config& c) { return one(std::to_string(c.series.per_service)); }},

    {"otlp.endpoint", "--otlp-endpoint", "URL", SettingShape::kScalar, false,
     "send traces and metrics over OTLP to URL/v1/traces and URL/v1/metrics (logs, if enabled, to "
     "URL/v1/logs), or by gRPC to URL",
     [](Config& c, Entries e) { return store_base_endpoint(e, c.otlp); },
     [](const Config&) { return Printed{}; }},
    EXA_OTLP_ALL("protocol", "http/protobuf|grpc", SettingShape::kScalar, false,
                 "protocol of all signals", protocol, store_name(e, kOtlpProtocols, all.protocol)),
    EXA_OTLP_ALL("headers", "NAME: VALUE", SettingShape::kMap, true,
                 "headers sent with all signals", headers, store_headers(e, all.headers)),
    EXA_OTLP_ALL("compression", "gzip|none", SettingShape::kScalar, false,
                 "compression for all signals", gzip, store_name(e, kCompressions, all.gzip)),
    EXA_OTLP_ALL("timeout", "DURATION", SettingShape::kScalar, false, "timeout for all signals",
                 timeout, store_duration(e, milliseconds(10), hours(1), all.timeout)),
    EXA_OTLP_ALL("certificate", "FILE", SettingShape::kScalar, false,
                 "PEM file of the authority for all signals", certificate,
                 store_text(e, all.certificate)),
    EXA_OTLP_ALL("client_certificate", "FILE", SettingShape::kScalar, false,
                 "the agent's own certificate for all signals", client_certificate,
                 store_text(e, all.client_certificate)),
    EXA_OTLP_ALL("client_key", "FILE", SettingShape::kScalar, false,
                 "the agent's own key for all signals", client_key, store_text(e, all.client_key)),
    EXA_OTLP_SIGNAL_ROWS("traces", traces),
    EXA_OTLP_SIGNAL_ROWS("metrics", metrics),
    {"otlp.metrics.temporality", "", "cumulative|delta", SettingShape::kScalar, false,
     "temporality of counters and histograms over OTLP",
     [](Config& c, Entries e) { return store_name(e, kTemporalities, c.otlp.temporality); },
     [](const Config& c) { return print_name(kTemporalities, c.otlp.temporality); }},
    EXA_OTLP_SIGNAL_ROWS("logs", logs),
    {"otlp.logs.omit", "", "NAME", SettingShape::kList, false,
     "attributes that log records do without, such as client.address",
     [](Config& c, Entries e) { return store_texts(e, c.otlp.omitted_from_logs, false); },
     [](const Config& c) { return print_list(c.otlp.omitted_from_logs); }},
    {"otlp.queue_size", "", "SIZE", SettingShape::kScalar, false,
     "maximum memory for spans waiting for the backend",
     [](Config& c, Entries e) {
       return store_size(e, 64u << 10, 1u << 30, false, c.otlp.queue_size_bytes);
     },
     [](const Config& c) { return one(size_text(c.otlp.queue_size_bytes)); }},

    {"openmetrics.listen", "--openmetrics", "HOST:PORT|off", SettingShape::kScalar, false,
     "where /metrics, /healthz and /readyz are served",
     [](Config& c, Entries e) { return store_listen(e, c.openmetrics); },
     [](const Config& c) {
       return one(c.openmetrics.enabled ? host_port_text(c.openmetrics.host, c.openmetrics.port)
                                        : "off");
     }},

    {"pipeline.uid", "", "NUMBER", SettingShape::kScalar, false,
     "uid and gid of the process that parses captured bytes; use it for nothing else",
     [](Config& c, Entries e) {
       return store(parse_count(e[0].value, 1, 4'294'967'294), c.pipeline.uid);
     },
     [](const Config& c) { return one(std::to_string(c.pipeline.uid)); }},

    {"log.level", "--log-level", "LEVEL", SettingShape::kScalar, false,
     "debug, info, warn, error or off",
     [](Config& c, Entries e) { return store_name(e, kLevels, c.log.level); },
     [](const Config& c) { return print_name(kLevels, c.log.level); }},
    {"log.format", "--log-format", "text|json", SettingShape::kScalar, false,
     "format of the log lines on standard error",
     [](Config& c, Entries e) { return store_name(e, kFormats, c.log.format); },
     [](const Config& c) { return print_name(kFormats, c.log.format); }},
};

}  // namespace

std::span<const Setting> all_settings() {
  return kSettings;
}

const Setting* find_setting(std::string_view key) {
  const auto found = std::ranges::find(kSettings, key, &Setting::key);
  return found == std::end(kSettings) ? nullptr : &*found;
}

std::vector<std::string_view> changed_settings(const Config& before, const Config& after) {
  std::vector<std::string_view> keys;
  for (const auto& setting : all_settings())
    if (setting.print(before) != setting.print(after)) keys.push_back(setting.key);
  return keys;
}

std::vector<std::string_view> names_under(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const auto& setting : kSettings) {
    auto rest = setting.key;
    if (!prefix.empty()) {
      if (!rest.starts_with(prefix) || rest.size() <= prefix.size() || rest[prefix.size()] != '.')
        continue;
      rest.remove_prefix(prefix.size() + 1);
    }
    const auto name = rest.substr(0, rest.find('.'));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace exa
