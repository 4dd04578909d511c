// Settings of the OTLP exporters, as the configuration hands them over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exa/model/otlp_protocol.h"
#include "exa/model/temporality.h"
#include "exporters/queue/queue_settings.h"

namespace exa {

enum class OtlpCompression : std::uint8_t { kNone, kGzip };

using OtlpHeaders = std::vector<std::pair<std::string, std::string>>;

// One signal: traces, metrics or logs.
struct OtlpSignalSettings {
  std::string url{};  // requested as it is: "http://127.0.0.1:4318/v1/traces"
  OtlpProtocol protocol = OtlpProtocol::kHttp;
  OtlpHeaders headers{};  // secret: never logged
  OtlpCompression compression = OtlpCompression::kGzip;
  std::chrono::milliseconds timeout{10'000};  // of one request, connecting included
  // PEM files, re-read when they change on disk. They must be readable by the pipeline's user.
  std::string ca_file{};  // empty: the system's store
  std::string client_certificate_file{};
  std::string client_key_file{};
  std::string agent_version = "0.1.0";  // instrumentation scope and User-Agent
  QueueSettings queue{};
};

struct OtlpSettings {
  std::optional<OtlpSignalSettings> traces{};  // none: not exported
  std::optional<OtlpSignalSettings> metrics{};
  std::optional<OtlpSignalSettings> logs{};
  Temporality temporality = Temporality::kCumulative;  // of counters and histograms
  std::vector<std::string> omitted_from_logs{};        // names of attributes
};

}  // namespace exa
