#include "exporters/transfer/http_transfer.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <algorithm>

namespace exa {
namespace {

using Clock = std::chrono::steady_clock;

// A peer that vanished is noticed before a long timeout.
constexpr long kKeepaliveIdleSeconds = 30;
constexpr long kKeepalivePauseSeconds = 10;
constexpr std::int64_t kLongestWaitMs = 1'000;

Result<> start_curl() {
  // Once a process; a function-local static is initialised under a lock.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    return fail(std::string("libcurl cannot be initialized: ") + curl_easy_strerror(started));
  return {};
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* answer) {
  const std::string_view line(bytes, one * count);
  return static_cast<HttpAnswer*>(answer)->take_header(line) ? line.size() : 0;
}

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* answer) {
  const std::string_view piece(bytes, one * count);
  return static_cast<HttpAnswer*>(answer)->take_body(piece) ? piece.size() : 0;
}

// Before version 8, libcurl sends the preface of HTTP/2 again on a connection without TLS that it
// uses again, which ends it (github.com/curl/curl/pull/10643).
bool reuses_http2(const std::string& url) {
  constexpr unsigned kMended = 0x080000;
  return url.starts_with("https:") || curl_version_info(CURLVERSION_NOW)->version_num >= kMended;
}

long at_least_one_ms(std::chrono::milliseconds time) {
  return static_cast<long>(std::max<std::int64_t>(time.count(), 1));
}

}  // namespace

void HttpTransfer::ReleaseEasy::operator()(void* easy) const noexcept {
  curl_easy_cleanup(easy);
}

void HttpTransfer::ReleaseMulti::operator()(void* multi) const noexcept {
  curl_multi_cleanup(static_cast<CURLM*>(multi));
}

Result<std::unique_ptr<HttpTransfer>> HttpTransfer::make(TransferSettings settings) {
  if (const auto started = start_curl(); !started) return std::unexpected(started.error());
  return std::unique_ptr<HttpTransfer>(new HttpTransfer(std::move(settings)));
}

void HttpTransfer::finish_by(Clock::time_point deadline) {
  finish_by_ns_ = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
  const std::lock_guard lock(multi_mutex_);
  if (multi_) curl_multi_wakeup(static_cast<CURLM*>(multi_.get()));
}

std::string HttpTransfer::tls_files_stamp() const {
  std::string stamp;
  for (const auto* const path :
       {&settings_.ca_file, &settings_.client_certificate_file, &settings_.client_key_file}) {
    struct stat file{};
    if (path->empty() || ::stat(path->c_str(), &file) != 0) {
      stamp += "-;";
      continue;
    }
    stamp += std::to_string(file.st_dev) + ' ' + std::to_string(file.st_ino) + ' ' +
             std::to_string(file.st_size) + ' ' + std::to_string(file.st_mtim.tv_sec) + '.' +
             std::to_string(file.st_mtim.tv_nsec) + ';';
  }
  return stamp;
}

Result<> HttpTransfer::open_connection() {
  std::string stamp = tls_files_stamp();
  if (easy_ && stamp == stamp_) return {};
  const std::lock_guard lock(multi_mutex_);
  // Sessions and parsed certificates are cached in these handles: a rotated file needs new ones.
  easy_.reset();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  if (!multi_ || !easy_) {
    easy_.reset();
    return fail("out of memory for an HTTP connection");
  }
  stamp_ = std::move(stamp);
  error_text_.assign(CURL_ERROR_SIZE, '\0');

  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = curl_easy_setopt(easy_.get(), option, value) == CURLE_OK && ok;
  };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, settings_.user_agent.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, at_least_one_ms(settings_.connect_timeout));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set(CURLOPT_TCP_KEEPINTVL, kKeepalivePauseSeconds);
  set(CURLOPT_MAXLIFETIME_CONN, static_cast<long>(settings_.connection_lifetime.count()));
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, settings_.insecure ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, settings_.insecure ? 0L : 2L);
  if (!settings_.ca_file.empty() && !settings_.insecure)
    set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (!settings_.client_certificate_file.empty())
    set(CURLOPT_SSLCERT, settings_.client_certificate_file.c_str());
  if (!settings_.client_key_file.empty()) set(CURLOPT_SSLKEY, settings_.client_key_file.c_str());
  if (!ok) {
    easy_.reset();
    return fail("libcurl lacks a required option");
  }
  return {};
}

Transferred HttpTransfer::send(const HttpRequest& request, HttpAnswer& answer) {
  if (const auto open = open_connection(); !open) return {.trouble = open.error().text};
  if (!prepare(request, answer)) return {.trouble = "out of memory for an HTTP request"};
  bool stopped = false;
  const int code = perform(stopped);
  Transferred done{.end = TransferEnd::kWhole, .status = status(), .trouble = {}};
  if (stopped) {
    done.end = TransferEnd::kStopped;
  } else if (code != CURLE_OK) {
    done.end = TransferEnd::kBroken;
    done.trouble = error_text_[0] != '\0' ? error_text_.c_str()
                                          : curl_easy_strerror(static_cast<CURLcode>(code));
  }
  forget_request();
  return done;
}

long HttpTransfer::version_for(const std::string& url) const {
  if (!settings_.http2) return CURL_HTTP_VERSION_1_1;
  return url.starts_with("https:") ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

bool HttpTransfer::prepare(const HttpRequest& request, HttpAnswer& answer) {
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = curl_easy_setopt(easy_.get(), option, value) == CURLE_OK && ok;
  };
  error_text_[0] = '\0';
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTP_VERSION, version_for(request.url));
  set(CURLOPT_FORBID_REUSE, settings_.http2 && !reuses_http2(request.url) ? 1L : 0L);
  set(CURLOPT_HTTPHEADER, request.headers.list());
  set(CURLOPT_TIMEOUT_MS, at_least_one_ms(request.timeout));
  set(CURLOPT_HEADERDATA, &answer);
  set(CURLOPT_WRITEDATA, &answer);
  if (request.body) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    const char* const bytes = request.body->data();  // not copied, its size is told
    set(CURLOPT_POSTFIELDS, bytes);
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  return ok;
}

// Nothing of the caller's stays in a handle that outlives the request.
void HttpTransfer::forget_request() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, nullptr);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, nullptr);
}

int HttpTransfer::perform(bool& stopped) {
  CURL* const easy = easy_.get();
  auto* const multi = static_cast<CURLM*>(multi_.get());
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;

  int code = CURLE_FAILED_INIT;
  for (;;) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running == 0) {
      int left = 0;
      if (const CURLMsg* message = curl_multi_info_read(multi, &left);
          message != nullptr && message->msg == CURLMSG_DONE)
        code = message->data.result;
      break;
    }
    const auto left_ns =
        finish_by_ns_ - Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
    if (left_ns <= 0) {
      stopped = true;
      break;
    }
    const auto wait_ms = std::clamp<std::int64_t>(left_ns / 1'000'000, 1, kLongestWaitMs);
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait_ms), nullptr);
  }
  curl_multi_remove_handle(multi, easy);
  return code;
}

long HttpTransfer::status() const {
  long status = 0;
  if (easy_) curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

}  // namespace exa
