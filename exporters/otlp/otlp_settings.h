// Settings of the OTLP exporters, as the configuration hands them over.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporters/queue/span_queue.h"

namespace exa {

enum class OtlpCompression : std::uint8_t { kNone, kGzip };

using OtlpHeaders = std::vector<std::pair<std::string, std::string>>;

// One signal: traces or metrics.
struct OtlpSignalSettings {
  // Used as is (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT). Empty: OtlpSettings::endpoint with
  // "/v1/traces" or "/v1/metrics" appended.
  std::string endpoint;
  OtlpHeaders headers;  // added to, and winning over, OtlpSettings::headers
  bool enabled = true;
};

struct OtlpSettings {
  // Base: "http://127.0.0.1:4318", with a path if the backend lies under one. Empty: only signals
  // with an endpoint of their own are exported.
  std::string endpoint;
  OtlpSignalSettings traces;
  OtlpSignalSettings metrics;
  OtlpHeaders headers;  // secret: never logged
  OtlpCompression compression = OtlpCompression::kGzip;
  std::chrono::milliseconds timeout{10'000};  // of one request, connecting included
  // PEM files, re-read when they change on disk. They must be readable by the pipeline's user.
  std::string ca_file;  // empty: the system's store
  std::string client_certificate_file;
  std::string client_key_file;
  bool insecure = false;                // an endpoint without a scheme means http, not https
  std::string agent_version = "0.1.0";  // instrumentation scope and User-Agent
  QueueSettings queue;

  [[nodiscard]] bool wanted() const {
    return (traces.enabled && !(endpoint.empty() && traces.endpoint.empty())) ||
           (metrics.enabled && !(endpoint.empty() && metrics.endpoint.empty()));
  }
};

}  // namespace exa
