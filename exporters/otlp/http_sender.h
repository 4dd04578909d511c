// Posts one OTLP request over HTTP/1.1 and has the answer judged.
// The owning exporter's thread only, except finish_by. Budget: one connection, 64 KiB of reply.
//
// It talks to the endpoint named and to nobody else: no redirect is followed, no proxy of the
// environment is used, the reply is never decompressed.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exporters/otlp/endpoint_url.h"
#include "exporters/otlp/http_reply.h"
#include "exporters/otlp/otlp_settings.h"
#include "exporters/queue/sender.h"

namespace exa {

class HttpSender final : public Sender {
 public:
  static Result<std::unique_ptr<Sender>> make(SignalUrl url, const OtlpHeaders& headers,
                                              const OtlpSettings& settings);

  SendOutcome send(std::string_view request) override;
  void finish_by(std::chrono::steady_clock::time_point deadline) override;

 private:
  template <auto release>
  struct Releaser {
    void operator()(auto* handle) const noexcept { release(handle); }
  };
  using Easy = std::unique_ptr<CURL, Releaser<curl_easy_cleanup>>;
  using Multi = std::unique_ptr<CURLM, Releaser<curl_multi_cleanup>>;
  using HeaderList = std::unique_ptr<curl_slist, Releaser<curl_slist_free_all>>;

  HttpSender(SignalUrl url, const OtlpSettings& settings, HeaderList headers);

  Result<> open_connection();
  CURLcode transfer(std::string_view body, bool& interrupted);
  [[nodiscard]] SendOutcome judge(CURLcode code) const;
  [[nodiscard]] std::string tls_files_stamp() const;
  static std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* reply);
  static std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* reply);

  const SignalUrl url_;
  const OtlpSettings settings_;
  const HeaderList headers_;
  HttpReply reply_;
  long status_ = 0;
  std::string error_text_;
  std::string stamp_;  // of the certificate files the connection was made with

  std::mutex multi_mutex_;  // finish_by wakes what send replaces
  Multi multi_;
  Easy easy_;
  std::atomic<std::int64_t> finish_by_ns_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace exa
