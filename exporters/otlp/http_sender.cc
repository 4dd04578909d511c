#include "exporters/otlp/http_sender.h"

#include <optional>

#include "exporters/encoding/gzip.h"
#include "exporters/otlp/http_reply.h"
#include "exporters/otlp/requests.h"

namespace exa {
namespace {

WallTime wall_now() {
  return {static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                         .count())};
}

Result<HttpHeaders> request_headers(const OtlpSignalSettings& settings) {
  HttpHeaders headers;
  bool enough_memory = headers.add("Content-Type", "application/x-protobuf") &&
                       headers.leave_out("Expect") &&
                       headers.add("Accept", "application/x-protobuf");
  if (settings.compression == OtlpCompression::kGzip)
    enough_memory = enough_memory && headers.add("Content-Encoding", "gzip");
  if (auto added = add_otlp_headers(settings.headers, headers); !added)
    return std::unexpected(added.error());
  if (!enough_memory) return fail("out of memory for the OTLP headers");
  return headers;
}

}  // namespace

Result<std::unique_ptr<Sender>> HttpSender::make(const OtlpSignalSettings& settings) {
  auto url = otlp_url(settings.url);
  if (!url) return std::unexpected(url.error());
  auto headers = request_headers(settings);
  if (!headers) return std::unexpected(headers.error());
  auto transfer = otlp_transfer(settings, /*http2=*/false);
  if (!transfer) return std::unexpected(transfer.error());
  return std::unique_ptr<Sender>(
      new HttpSender(std::move(*url), std::move(*headers), std::move(*transfer), settings));
}

HttpSender::HttpSender(UrlParts url, HttpHeaders headers, std::unique_ptr<HttpTransfer> transfer,
                       const OtlpSignalSettings& settings)
    : url_(std::move(url)),
      headers_(std::move(headers)),
      transfer_(std::move(transfer)),
      compression_(settings.compression),
      timeout_(settings.timeout) {}

void HttpSender::finish_by(std::chrono::steady_clock::time_point deadline) {
  transfer_->finish_by(deadline);
}

SendOutcome HttpSender::send(std::string_view request) {
  std::optional<std::string> packed;
  if (compression_ == OtlpCompression::kGzip) {
    packed = gzip(request);
    if (!packed) return otlp_not_now("out of memory compressing an OTLP request");
  }
  HttpReply reply;
  const auto done = transfer_->send({.url = url_.url,
                                     .headers = headers_,
                                     .body = packed ? std::string_view(*packed) : request,
                                     .timeout = timeout_},
                                    reply);
  if (done.end == TransferEnd::kStopped)
    return otlp_not_now(url_.display + " did not answer before the agent had to stop");
  std::optional<std::string_view> broken;
  if (done.end == TransferEnd::kBroken) broken = done.trouble;
  return reply.judge(done.status, broken, url_.display, wall_now());
}

}  // namespace exa
