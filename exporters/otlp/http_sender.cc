#include "exporters/otlp/http_sender.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>

#include "exporters/encoding/gzip.h"
#include "exporters/otlp/reply.h"

namespace exa {
namespace {

using Clock = std::chrono::steady_clock;

// A connection is given up after this, so that a backend that moved is found again.
constexpr long kConnectionLifetimeSeconds = 300;

Result<> start_curl() {
  // Once a process; a function-local static is initialised under a lock.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    return fail(std::string("libcurl does not start: ") + curl_easy_strerror(started));
  return {};
}

bool header_is_sane(const std::string& name, const std::string& value) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  const auto name_ok = [&](unsigned char c) {
    return c > 0x20 && c < 0x7f && kSeparators.find(static_cast<char>(c)) == std::string::npos;
  };
  const auto value_ok = [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); };
  return !name.empty() && std::all_of(name.begin(), name.end(), name_ok) &&
         std::all_of(value.begin(), value.end(), value_ok);
}

WallTime wall_now() {
  return {static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                         .count())};
}

}  // namespace

Result<std::unique_ptr<Sender>> HttpSender::make(SignalUrl url, const OtlpHeaders& headers,
                                                 const OtlpSettings& settings) {
  if (const auto started = start_curl(); !started) return std::unexpected(started.error());
  HeaderList list;
  const auto append = [&](const std::string& line) {
    curl_slist* const head = curl_slist_append(list.get(), line.c_str());
    if (head == nullptr) return false;
    if (!list) list.reset(head);  // once there, it stays the head
    return true;
  };
  bool enough_memory = append("Content-Type: application/x-protobuf") && append("Expect:") &&
                       append("Accept: application/x-protobuf");
  if (settings.compression == OtlpCompression::kGzip)
    enough_memory = enough_memory && append("Content-Encoding: gzip");
  for (const auto& [name, value] : headers) {
    if (!header_is_sane(name, value))
      return fail("the OTLP header '" + printable_excerpt(name, 64) +
                  "' has a name or a value that HTTP does not allow; its value is not shown");
    // libcurl wants "Name;" for a header without a value.
    enough_memory = enough_memory && append(value.empty() ? name + ";" : name + ": " + value);
  }
  if (!enough_memory) return fail("out of memory for the OTLP headers");
  return std::unique_ptr<Sender>(new HttpSender(std::move(url), settings, std::move(list)));
}

HttpSender::HttpSender(SignalUrl url, const OtlpSettings& settings, HeaderList headers)
    : url_(std::move(url)), settings_(settings), headers_(std::move(headers)) {}

void HttpSender::finish_by(Clock::time_point deadline) {
  finish_by_ns_ = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
  const std::lock_guard lock(multi_mutex_);
  if (multi_) curl_multi_wakeup(multi_.get());
}

std::string HttpSender::tls_files_stamp() const {
  std::string stamp;
  for (const auto& path :
       {settings_.ca_file, settings_.client_certificate_file, settings_.client_key_file}) {
    struct stat file{};
    if (path.empty() || ::stat(path.c_str(), &file) != 0) {
      stamp += "-;";
      continue;
    }
    stamp += std::to_string(file.st_dev) + ' ' + std::to_string(file.st_ino) + ' ' +
             std::to_string(file.st_size) + ' ' + std::to_string(file.st_mtim.tv_sec) + '.' +
             std::to_string(file.st_mtim.tv_nsec) + ';';
  }
  return stamp;
}

Result<> HttpSender::open_connection() {
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
  const auto timeout_ms = static_cast<long>(std::max<std::int64_t>(settings_.timeout.count(), 1));
  set(CURLOPT_URL, url_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_POST, 1L);
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_USERAGENT, ("exemplar-agent/" + settings_.agent_version).c_str());
  set(CURLOPT_TIMEOUT_MS, timeout_ms);
  set(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXLIFETIME_CONN, kConnectionLifetimeSeconds);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, &HttpSender::take_header);
  set(CURLOPT_HEADERDATA, &reply_);
  set(CURLOPT_WRITEFUNCTION, &HttpSender::take_body);
  set(CURLOPT_WRITEDATA, &reply_);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (!settings_.client_certificate_file.empty())
    set(CURLOPT_SSLCERT, settings_.client_certificate_file.c_str());
  if (!settings_.client_key_file.empty()) set(CURLOPT_SSLKEY, settings_.client_key_file.c_str());
  if (!ok) {
    easy_.reset();
    return fail("libcurl lacks an option that the OTLP exporter needs");
  }
  return {};
}

std::size_t HttpSender::take_header(char* bytes, std::size_t one, std::size_t count, void* user) {
  const std::string_view line(bytes, one * count);
  return static_cast<HttpReply*>(user)->take_header(line) ? line.size() : 0;
}

std::size_t HttpSender::take_body(char* bytes, std::size_t one, std::size_t count, void* user) {
  const std::string_view piece(bytes, one * count);
  return static_cast<HttpReply*>(user)->take_body(piece) ? piece.size() : 0;
}

SendOutcome HttpSender::send(std::string_view request) {
  if (const auto open = open_connection(); !open)
    return {.status = SendStatus::kRetry,
            .trouble = SendTrouble::kUnreachable,
            .text = open.error().text};
  std::optional<std::string> packed;
  if (settings_.compression == OtlpCompression::kGzip) {
    packed = gzip(request);
    if (!packed)
      return {.status = SendStatus::kRetry,
              .trouble = SendTrouble::kUnreachable,
              .text = "out of memory to compress an OTLP request"};
  }
  reply_ = {};
  status_ = 0;
  bool interrupted = false;
  const CURLcode code = transfer(packed ? std::string_view(*packed) : request, interrupted);
  if (interrupted)
    return {.status = SendStatus::kRetry,
            .trouble = SendTrouble::kUnreachable,
            .text = url_.display + " did not answer before the agent had to stop"};
  return judge(code);
}

CURLcode HttpSender::transfer(std::string_view body, bool& interrupted) {
  CURL* const easy = easy_.get();
  CURLM* const multi = multi_.get();
  error_text_[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  const char* const bytes = body.data();  // not copied, its size is told
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes);
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;

  CURLcode code = CURLE_FAILED_INIT;
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
      interrupted = true;
      break;
    }
    constexpr std::int64_t kLongestWaitMs = 1'000;
    const auto wait_ms = std::clamp<std::int64_t>(left_ns / 1'000'000, 1, kLongestWaitMs);
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait_ms), nullptr);
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status_);
  curl_multi_remove_handle(multi, easy);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  return code;
}

SendOutcome HttpSender::judge(CURLcode code) const {
  std::optional<std::string_view> broken;
  if (code != CURLE_OK)
    broken = error_text_[0] != '\0' ? error_text_.c_str() : curl_easy_strerror(code);
  return reply_.judge(status_, broken, url_.display, wall_now());
}

}  // namespace exa
