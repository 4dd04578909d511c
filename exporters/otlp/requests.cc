#include "exporters/otlp/requests.h"

#include <utility>

#include "exporters/otlp/reply.h"

namespace exa {

Result<UrlParts> otlp_url(const std::string& text) {
  auto parts = url_parts(text);
  if (!parts)
    return fail("the OTLP endpoint is not usable: " + parts.error().text +
                "; give it as http://HOST:4318, http://HOST:4317 for gRPC, or "
                "https://HOST:PORT/PATH");
  return parts;
}

Result<> add_otlp_headers(const OtlpHeaders& configured, HttpHeaders& headers) {
  for (const auto& [name, value] : configured) {
    if (!header_allowed(name, value))
      return fail("the OTLP header '" + printable_excerpt(name, 64) +
                  "' has a name or a value that HTTP does not allow; its value is not shown");
    if (!headers.add(name, value)) return fail("out of memory for the OTLP headers");
  }
  return {};
}

Result<std::unique_ptr<HttpTransfer>> otlp_transfer(const OtlpSignalSettings& settings,
                                                    bool http2) {
  return HttpTransfer::make({.user_agent = "exemplar-agent/" + settings.agent_version,
                             .ca_file = settings.ca_file,
                             .client_certificate_file = settings.client_certificate_file,
                             .client_key_file = settings.client_key_file,
                             .connect_timeout = settings.timeout,
                             .http2 = http2});
}

SendOutcome otlp_not_now(std::string text) {
  return {
      .status = SendStatus::kRetry, .trouble = SendTrouble::kUnreachable, .text = std::move(text)};
}

}  // namespace exa
