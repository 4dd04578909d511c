// The URL of one signal, by the rules of the OpenTelemetry exporter specification. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exa/base/result.h"

namespace exa {

struct SignalUrl {
  std::string url;      // what is requested
  std::string display;  // for log lines: no userinfo, no query
  std::string host;
  std::uint16_t port = 0;
};

// A base endpoint gets signal_path ("/v1/traces") appended to its path; an endpoint of the signal's
// own is used as it is. Without a scheme, insecure decides between http and https.
Result<SignalUrl> signal_url(std::string_view base_endpoint, std::string_view own_endpoint,
                             std::string_view signal_path, bool insecure);

}  // namespace exa
