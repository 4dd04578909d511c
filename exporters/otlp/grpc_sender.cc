#include "exporters/otlp/grpc_sender.h"

#include <optional>
#include <utility>

#include "exporters/encoding/gzip.h"
#include "exporters/otlp/grpc_reply.h"
#include "exporters/otlp/requests.h"

namespace exa {
namespace {

// A message on the wire: whether it is compressed, its length, and it.
std::string framed(std::string_view message, bool compressed) {
  std::string frame;
  frame.reserve(5 + message.size());
  frame += static_cast<char>(compressed ? 1 : 0);
  for (int shift = 24; shift >= 0; shift -= 8)
    frame += static_cast<char>(message.size() >> shift & 0xff);
  return frame.append(message);
}

Result<HttpHeaders> request_headers(const OtlpSignalSettings& settings) {
  HttpHeaders headers;
  bool enough_memory = headers.add("Content-Type", "application/grpc+proto") &&
                       headers.add("TE", "trailers") && headers.leave_out("Accept") &&
                       headers.leave_out("Expect") &&
                       headers.add("grpc-timeout", std::to_string(settings.timeout.count()) + "m");
  if (settings.compression == OtlpCompression::kGzip)
    enough_memory = enough_memory && headers.add("grpc-encoding", "gzip");
  if (auto added = add_otlp_headers(settings.headers, headers); !added)
    return std::unexpected(added.error());
  if (!enough_memory) return fail("out of memory for the OTLP headers");
  return headers;
}

}  // namespace

Result<std::unique_ptr<Sender>> GrpcSender::make(const OtlpSignalSettings& settings,
                                                 std::string_view method) {
  auto url = otlp_url(settings.url);
  if (!url) return std::unexpected(url.error());
  const auto authority = url->url.find("://") + 3;
  url->url = url->url.substr(0, url->url.find_first_of("/?", authority)).append(method);
  auto headers = request_headers(settings);
  if (!headers) return std::unexpected(headers.error());
  auto transfer = otlp_transfer(settings, /*http2=*/true);
  if (!transfer) return std::unexpected(transfer.error());
  return std::unique_ptr<Sender>(
      new GrpcSender(std::move(*url), std::move(*headers), std::move(*transfer), settings));
}

GrpcSender::GrpcSender(UrlParts url, HttpHeaders headers, std::unique_ptr<HttpTransfer> transfer,
                       const OtlpSignalSettings& settings)
    : url_(std::move(url)),
      headers_(std::move(headers)),
      transfer_(std::move(transfer)),
      compression_(settings.compression),
      timeout_(settings.timeout) {}

void GrpcSender::finish_by(std::chrono::steady_clock::time_point deadline) {
  transfer_->finish_by(deadline);
}

SendOutcome GrpcSender::send(std::string_view request) {
  std::optional<std::string> packed;
  if (compression_ == OtlpCompression::kGzip) {
    packed = gzip(request);
    if (!packed) return otlp_not_now("out of memory compressing an OTLP request");
  }
  const auto frame =
      framed(packed ? std::string_view(*packed) : request, /*compressed=*/packed.has_value());
  GrpcReply reply;
  const auto done = transfer_->send(
      {.url = url_.url, .headers = headers_, .body = frame, .timeout = timeout_}, reply);
  if (done.end == TransferEnd::kStopped)
    return otlp_not_now(url_.display + " did not answer before the agent had to stop");
  std::optional<std::string_view> broken;
  if (done.end == TransferEnd::kBroken) broken = done.trouble;
  return reply.judge(done.status, broken, url_.display);
}

}  // namespace exa
