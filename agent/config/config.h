// What the agent has been told to do: one plain value, complete and checked. Made by load_config()
// from defaults, file, environment and flags; read-only afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/model/policy_spec.h"
#include "agent/model/propagators.h"
#include "agent/model/route_settings.h"
#include "agent/telemetry/logging.h"
#include "exa/base/time.h"
#include "exa/model/exemplar_store.h"
#include "exa/model/otlp_protocol.h"
#include "exa/model/temporality.h"

namespace exa {

// Of included ports, and of excluded ones: what the kernel compares with each connection.
inline constexpr std::size_t kMaxPorts = 16;

// One side of the target rules. Empty lists say nothing.
struct TargetPatterns {
  std::vector<std::string> exe{};  // globs over the executable's path, or its name without '/'
  std::vector<std::uint32_t> pid{};
  std::vector<std::uint16_t> port{};  // the server's port of a connection; at most kMaxPorts
  std::vector<std::string> cgroup{};  // prefixes of the cgroup path
  bool operator==(const TargetPatterns&) const = default;
};

struct TargetSettings {
  TargetPatterns include{};                            // empty: every process
  TargetPatterns exclude{};                            // wins over include
  std::map<std::string, std::string> service_names{};  // glob of the executable -> service.name
  std::map<std::string, std::string> resource{};       // added to the resource of every target
  bool operator==(const TargetSettings&) const = default;
};

// Of containers outside Kubernetes. Folders are those of the engines' own settings.
struct ContainerSettings {
  bool names = true;  // container.name and the image, from the engines' files
  std::string docker = "/var/lib/docker";
  std::string podman = "/var/lib/containers/storage";
  std::string containerd = "/run/containerd";
  bool operator==(const ContainerSettings&) const = default;
};

enum class PodSource : std::uint8_t { kApiServer, kKubelet };

struct KubeletSettings {
  std::string url{};      // empty: https://NODE_IP:10250
  std::string ca{};       // PEM file; empty: the service account's
  bool insecure = false;  // take any certificate
  bool operator==(const KubeletSettings&) const = default;
};

// Outside a pod nothing of this says anything.
struct KubernetesSettings {
  bool enabled = true;  // name processes by their pods
  PodSource source = PodSource::kApiServer;
  KubeletSettings kubelet{};
  bool use_labels = true;  // app.kubernetes.io/instance, /name and /version
  bool operator==(const KubernetesSettings&) const = default;
};

struct CaptureSettings {
  std::uint64_t ring_size_bytes = 8u << 20;
  std::uint32_t budget_bytes = 4096;  // captured at most of a message head
  bool operator==(const CaptureSettings&) const = default;
};

struct TlsSettings {
  bool enabled = true;
  std::vector<std::string> ignored_executables;  // names; they give no cause to probe a library
  bool operator==(const TlsSettings&) const = default;
};

// For processes whose SDK exports spans: link ours to them, or skip ours.
enum class BesideSdk : std::uint8_t { kLink, kSkip };

struct ExemplarSettings {
  std::uint32_t spans_per_window = 100;
  std::uint32_t least_spans_per_window = 10;  // while the backend or the agent cannot keep up
  std::uint32_t most_spans_per_window = 0;    // while errors burn; 0: spans_per_window
  double objective = 0.999;                   // share of a service's requests that is to succeed
  double floor = 0.005;         // share of all requests whose spans are exported besides
  bool presume_random = false;  // take trace ids without the random flag for random
  bool why = true;              // spans say where the time of their requests went
  bool why_exact = false;       // on what threads slept, by following each of their sleeps
  BesideSdk beside_sdk = BesideSdk::kLink;
  PolicySettings policies;    // which requests may become exemplars
  ExemplarStoreLimits store;  // of those that wait for a scraper
  std::string seed;           // 32 hex digits; empty: drawn at start
  [[nodiscard]] bool exact() const { return why && why_exact; }
  bool operator==(const ExemplarSettings&) const = default;
};

struct SeriesSettings {
  std::uint32_t per_metric = 2000;
  std::uint32_t per_service = 1000;
  bool operator==(const SeriesSettings&) const = default;
};

enum class HistogramForm : std::uint8_t { kExplicit, kExponential };

struct MetricSettings {
  HistogramForm histograms = HistogramForm::kExplicit;  // over OTLP
  bool body_size = false;        // http.server.request.body.size and http.server.response.body.size
  bool active_requests = false;  // http.server.active_requests
  bool time_spent = true;        // exemplar_agent.http.server.time_spent and retransmits
  bool span_metrics = false;     // traces_spanmetrics_*, as Tempo names them
  bool service_graph = false;    // traces_service_graph_*, likewise
  bool operator==(const MetricSettings&) const = default;
};

struct OtlpSignal {
  bool enabled = true;
  OtlpProtocol protocol = OtlpProtocol::kHttp;
  std::string endpoint{};  // whole URL; empty: not exported
  std::map<std::string, std::string> headers{};
  bool gzip = true;
  Duration timeout = std::chrono::seconds(10);
  std::string certificate{};  // PEM file of the CA
  std::string client_certificate{};
  std::string client_key{};
  [[nodiscard]] bool active() const { return enabled && !endpoint.empty(); }
  bool operator==(const OtlpSignal&) const = default;
};

struct OtlpConfig {
  OtlpSignal traces;
  OtlpSignal metrics;
  OtlpSignal logs{.enabled = false};                   // of slow and failed requests
  Temporality temporality = Temporality::kCumulative;  // of counters and histograms
  std::vector<std::string> omitted_from_logs;          // names of attributes
  std::uint64_t queue_size_bytes = 8u << 20;
  bool operator==(const OtlpConfig&) const = default;
};

struct OpenMetricsSettings {
  bool enabled = true;
  std::string host = "127.0.0.1";
  std::uint16_t port = 9464;
  bool operator==(const OpenMetricsSettings&) const = default;
};

enum class OutputForm : std::uint8_t { kAuto, kTable, kJson, kNone };  // auto: table on a terminal

enum class TableOrder : std::uint8_t { kTime, kRate, kErrors, kP99, kMax, kName };

struct TableOutput {
  std::uint32_t rows = 20;
  TableOrder order = TableOrder::kTime;
  bool operator==(const TableOutput&) const = default;
};

struct PipelineSettings {
  // User and group of the process that parses and exports; known to no /etc/passwd, shared with
  // nobody: above what distributions, systemd (to 1879048191), OpenShift (to 1999999999) and
  // directories (SSSD and FreeIPA, to 2000200000) give out, below 2^31, from where on programs take
  // numbers for negative.
  std::uint32_t uid = 2'100'009'464;
  bool operator==(const PipelineSettings&) const = default;
};

struct LogSettings {
  LogThreshold level = LogThreshold::kInfo;
  LogFormat format = LogFormat::kText;
  bool operator==(const LogSettings&) const = default;
};

struct Config {
  Duration window = std::chrono::seconds(10);
  OutputForm output = OutputForm::kAuto;
  TableOutput table;
  std::string record_path;  // empty: no recording
  std::string lock_path = "/run/exemplar-agent.lock";
  TargetSettings targets;
  ContainerSettings containers;
  KubernetesSettings kubernetes;
  CaptureSettings capture;
  TlsSettings tls;
  PropagatorList propagators = {Propagator::kW3c};
  ExemplarSettings exemplars;
  RouteSettings routes;
  SeriesSettings series;
  MetricSettings metrics;
  OtlpConfig otlp;
  OpenMetricsSettings openmetrics;
  PipelineSettings pipeline;
  LogSettings log;
  bool operator==(const Config&) const = default;
};

}  // namespace exa
