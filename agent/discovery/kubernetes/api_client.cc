#include "agent/discovery/kubernetes/api_client.h"

#include <array>
#include <fstream>

namespace exa {
namespace {

constexpr long kConnectSeconds = 10;
constexpr std::size_t kMaxErrorBytes = 64u << 10;
constexpr std::size_t kMaxTokenBytes = 16u << 10;
constexpr int kLongestWaitMs = 1000;

// Only what may stand in a header; empty if the file holds anything else.
std::string read_token(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::string token(kMaxTokenBytes, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  for (const char c : token)
    if (c <= 0x20 || c >= 0x7f) return {};
  return token;
}

}  // namespace

ApiClient::ApiClient(ApiEndpoint endpoint)
    : endpoint_(std::move(endpoint)),
      multi_(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : nullptr) {}

std::size_t ApiClient::take_body(char* bytes, std::size_t one, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t size = one * count;
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) {
    if (transfer.reader({bytes, size})) return size;
    transfer.reader_ended = true;
    return 0;
  }
  auto& body = transfer.answer.error_body;
  if (body.size() + size > kMaxErrorBytes) return 0;
  body.append(bytes, size);
  return size;
}

std::size_t ApiClient::take_header(char* bytes, std::size_t one, std::size_t count, void* user) {
  const auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, one * count);
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200 && line == "\r\n") transfer.accepted();
  return line.size();
}

ApiAnswer ApiClient::get(const std::string& path, std::chrono::seconds limit, const Reader& reader,
                         const Accepted& accepted) {
  ApiAnswer answer;
  using Easy = std::unique_ptr<CURL, Releaser<curl_easy_cleanup>>;
  using Headers = std::unique_ptr<curl_slist, Releaser<curl_slist_free_all>>;
  const Easy easy(curl_easy_init());
  const Headers headers(curl_slist_append(nullptr, "Accept: application/json"));
  if (!easy || !multi_ || !headers) {
    answer.trouble = "libcurl has no memory";
    return answer;
  }
  const auto token = read_token(endpoint_.token_file);
  if (!token.empty()) {
    // The head of a list that has one stays where it is.
    const auto bearer = "Authorization: Bearer " + token;
    if (curl_slist_append(headers.get(), bearer.c_str()) == nullptr) return answer;
  }
  Transfer transfer{.easy = easy.get(), .reader = reader, .accepted = accepted, .answer = answer};
  std::array<char, CURL_ERROR_SIZE> error_text{};
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = curl_easy_setopt(easy.get(), option, value) == CURLE_OK && ok;
  };
  const auto url = endpoint_.url + path;
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_USERAGENT, "exemplar-agent");
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_TIMEOUT, static_cast<long>(limit.count()));
  // A peer that vanished is noticed before the limit.
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, 30L);
  set(CURLOPT_TCP_KEEPINTVL, 10L);
  set(CURLOPT_MAXLIFETIME_CONN, 60L);
  set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
  set(CURLOPT_SSL_VERIFYPEER, endpoint_.insecure ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, endpoint_.insecure ? 0L : 2L);
  if (!endpoint_.ca_file.empty() && !endpoint_.insecure)
    set(CURLOPT_CAINFO, endpoint_.ca_file.c_str());
  set(CURLOPT_HEADERFUNCTION, &ApiClient::take_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &ApiClient::take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_ERRORBUFFER, error_text.data());
  if (!ok) {
    answer.trouble = "libcurl lacks an option that the Kubernetes client needs";
    return answer;
  }
  const auto code = perform(easy.get());
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  using Outcome = ApiAnswer::Outcome;
  if (stopped_) {
    answer.outcome = Outcome::kStopped;
  } else if (transfer.reader_ended) {
    answer.outcome = Outcome::kReaderEnded;
  } else if (code == CURLE_OK || (answer.status > 200 && !answer.error_body.empty())) {
    answer.outcome = Outcome::kAnswered;
  } else {
    answer.trouble = error_text[0] != '\0' ? error_text.data() : curl_easy_strerror(code);
  }
  return answer;
}

CURLcode ApiClient::perform(CURL* easy) {
  auto* const multi = multi_.get();
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;
  auto code = CURLE_FAILED_INIT;
  while (!stopped_) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running == 0) {
      int left = 0;
      if (const auto* message = curl_multi_info_read(multi, &left);
          message != nullptr && message->msg == CURLMSG_DONE)
        code = message->data.result;
      break;
    }
    curl_multi_poll(multi, nullptr, 0, kLongestWaitMs, nullptr);
  }
  curl_multi_remove_handle(multi, easy);
  return code;
}

void ApiClient::stop() {
  stopped_ = true;
  if (multi_) curl_multi_wakeup(multi_.get());
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace exa
