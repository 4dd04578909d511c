#include "agent/naming/kubernetes/api_client.h"

#include <algorithm>
#include <fstream>

#include "exa/base/percent.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxErrorBytes = 64u << 10;
constexpr std::size_t kMaxTokenBytes = 16u << 10;

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

// A 200 goes to the reader as it comes; of any other answer the body is kept.
class ReadAnswer final : public HttpAnswer {
 public:
  ReadAnswer(const HttpTransfer& transfer, const ApiClient::Reader& reader,
             const ApiClient::Accepted& accepted)
      : transfer_(transfer), reader_(reader), accepted_(accepted) {}

  bool take_header(std::string_view line) override {
    if (line == "\r\n" && transfer_.status() == 200) accepted_();
    return true;
  }
  bool take_body(std::string_view bytes) override {
    if (transfer_.status() == 200) {
      reader_ended_ = !reader_(bytes);
      return !reader_ended_;
    }
    if (error_body_.size() + bytes.size() > kMaxErrorBytes) return false;
    error_body_.append(bytes);
    return true;
  }
  [[nodiscard]] bool reader_ended() const { return reader_ended_; }
  [[nodiscard]] std::string& error_body() { return error_body_; }

 private:
  const HttpTransfer& transfer_;
  const ApiClient::Reader& reader_;
  const ApiClient::Accepted& accepted_;
  std::string error_body_;
  bool reader_ended_ = false;
};

}  // namespace

ApiClient::ApiClient(ApiEndpoint endpoint)
    : endpoint_(std::move(endpoint)),
      transfer_(HttpTransfer::make({.user_agent = "exemplar-agent",
                                    .ca_file = endpoint_.ca_file,
                                    .insecure = endpoint_.insecure,
                                    .connect_timeout = 10s,
                                    .connection_lifetime = 60s})) {}

ApiAnswer ApiClient::get(const std::string& path, std::chrono::seconds limit, const Reader& reader,
                         const Accepted& accepted) {
  ApiAnswer answer;
  using Outcome = ApiAnswer::Outcome;
  if (stopped_) {
    answer.outcome = Outcome::kStopped;
    return answer;
  }
  if (!transfer_) {
    answer.trouble = transfer_.error().text;
    return answer;
  }
  HttpTransfer& transfer = **transfer_;
  HttpHeaders headers;
  const auto token = read_token(endpoint_.token_file);
  if (!headers.add("Accept", "application/json") ||
      (!token.empty() && !headers.add("Authorization", "Bearer " + token))) {
    answer.trouble = "out of memory for the headers of a request";
    return answer;
  }
  ReadAnswer read(transfer, reader, accepted);
  auto done =
      transfer.send({.url = endpoint_.url + path, .headers = headers, .timeout = limit}, read);
  answer.status = done.status;
  answer.error_body = std::move(read.error_body());
  if (stopped_)
    answer.outcome = Outcome::kStopped;
  else if (read.reader_ended())
    answer.outcome = Outcome::kReaderEnded;
  else if (done.end == TransferEnd::kWhole || (answer.status > 200 && !answer.error_body.empty()))
    answer.outcome = Outcome::kAnswered;
  else
    answer.trouble = std::move(done.trouble);
  return answer;
}

void ApiClient::stop() {
  stopped_ = true;
  if (transfer_) (*transfer_)->finish_by(std::chrono::steady_clock::now());
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, is_unreserved);
  return out;
}

}  // namespace exa
