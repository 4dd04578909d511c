// OTLP as an output, over HTTP or gRPC. Each signal has a thread of its own, which is started here:
// call after the pipeline has forked.
#pragma once

#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exa/export/log_sink.h"
#include "exa/export/output.h"
#include "exporters/otlp/otlp_settings.h"

namespace exa {

// Fails on a URL or header that no request could be made with; a backend that is down is not a
// failure. Counters must outlive what is returned.
Result<Output> make_otlp(const OtlpSettings& settings, ExportCounters& counters,
                         const LogSink& log);

// The check of make_otlp without the threads, for configuration time.
Result<> check_otlp_settings(const OtlpSignalSettings& settings);

}  // namespace exa
