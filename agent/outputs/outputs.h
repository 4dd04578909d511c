// The outputs that the configuration asks for: checked, described, started. Nobody else makes an
// exporter.
#pragma once

#include <cstdint>
#include <string>

#include "agent/config/config.h"
#include "agent/outputs/export_chain.h"
#include "agent/telemetry/logging.h"
#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exporters/page/health_routes.h"

namespace exa {

// Tables on a terminal: each in the place of the one before, or one below the other.
enum class Tables : std::uint8_t { kInPlace, kListed };

// Starts the exporters' threads, so in the pipeline only after the fork. log and counters outlive
// the chain.
Result<ExportChain> start_exports(const Config& config, ExportCounters& counters,
                                  ReadinessCheck readiness, const Log& log,
                                  Tables tables = Tables::kInPlace);

// Whether standard output shows tables, which tell more of a window than is exported.
bool prints_table(const Config& config);

// The OTLP settings of both signals, checked without starting anything.
Result<> check_export_settings(const Config& config);

// Their certificate and key files: may the pipeline read them? Forks; before any thread.
Result<> check_export_files(const Config& config);

// What is to be said of standard output that cannot be written any more.
std::string output_failure(int error);

// One line for the start: where results go.
std::string describe_exports(const Config& config, std::uint16_t endpoint_port);

}  // namespace exa
