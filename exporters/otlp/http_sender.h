// Posts one OTLP request over HTTP/1.1 and has the answer judged.
// The owning exporter's thread only, except finish_by. Budget: one connection, 64 KiB of reply.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exporters/otlp/otlp_settings.h"
#include "exporters/queue/sender.h"
#include "exporters/transfer/http_transfer.h"
#include "exporters/transfer/url_parts.h"

namespace exa {

class HttpSender final : public Sender {
 public:
  // Fails on a URL or a header that no request could be made with.
  static Result<std::unique_ptr<Sender>> make(const OtlpSignalSettings& settings);

  SendOutcome send(std::string_view request) override;
  void finish_by(std::chrono::steady_clock::time_point deadline) override;

 private:
  HttpSender(UrlParts url, HttpHeaders headers, std::unique_ptr<HttpTransfer> transfer,
             const OtlpSignalSettings& settings);

  const UrlParts url_;
  const HttpHeaders headers_;
  const std::unique_ptr<HttpTransfer> transfer_;
  const OtlpCompression compression_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace exa
