// GET requests to the API server or the kubelet, one at a time, their bodies handed on as they
// come. The token is read from its file for every request, the CA where its file has changed, so
// rotation needs nothing. The watch thread's; stop() from any thread. Budget: one connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exporters/transfer/http_transfer.h"

namespace exa {

struct ApiEndpoint {
  std::string url;         // https://10.96.0.1:443
  std::string token_file;  // empty or unreadable: no token is sent
  std::string ca_file;     // empty: the system's
  bool insecure = false;   // any certificate will do
};

struct ApiAnswer {
  enum class Outcome : std::uint8_t {
    kAnswered,     // status says how; a 200's body went to the reader in whole
    kCutShort,     // no answer, or it broke off
    kReaderEnded,  // the reader wanted no more
    kStopped,
  };
  Outcome outcome = Outcome::kCutShort;
  long status = 0;
  std::string error_body;  // of other statuses, at most 64 KiB
  std::string trouble;     // of kCutShort: a sentence
};

class ApiClient {
 public:
  // False: no more is wanted.
  using Reader = std::function<bool(std::string_view)>;
  // The head of a 200 is there; its body may be long in coming.
  using Accepted = std::function<void()>;

  explicit ApiClient(ApiEndpoint endpoint);

  ApiAnswer get(
      const std::string& path, std::chrono::seconds limit, const Reader& reader,
      const Accepted& accepted = [] {});
  void stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  const ApiEndpoint endpoint_;
  const Result<std::unique_ptr<HttpTransfer>> transfer_;
  std::atomic<bool> stopped_ = false;
};

// For a query: everything but letters, digits and "-._~" as %NN.
std::string percent_encoded(std::string_view text);

}  // namespace exa
