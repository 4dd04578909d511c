// What requests of either protocol have in common.
#pragma once

#include <memory>
#include <string>

#include "exa/base/result.h"
#include "exporters/otlp/otlp_settings.h"
#include "exporters/queue/sender.h"
#include "exporters/transfer/http_headers.h"
#include "exporters/transfer/http_transfer.h"
#include "exporters/transfer/url_parts.h"

namespace exa {

// What is requested; an error says what to give instead.
Result<UrlParts> otlp_url(const std::string& text);

// The configured ones.
Result<> add_otlp_headers(const OtlpHeaders& configured, HttpHeaders& headers);

// Connections with the configured certificates; gRPC needs http2.
Result<std::unique_ptr<HttpTransfer>> otlp_transfer(const OtlpSignalSettings& settings, bool http2);

// Nothing was decided: later.
SendOutcome otlp_not_now(std::string text);

}  // namespace exa
