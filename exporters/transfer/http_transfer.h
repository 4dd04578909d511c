// One HTTP request after the other to one server, their answers handed on as they come. What an
// answer means is its reader's business.
// It talks to the server named and to nobody else: no redirect is followed, no proxy of the
// environment used, nothing decompressed. TLS 1.2 or newer.
// One thread, except finish_by. Owned by who asks. Budget: one connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exporters/transfer/http_headers.h"

namespace exa {

struct TransferSettings {
  std::string user_agent;
  // PEM files. They are looked at before each request, and a change makes a new connection.
  std::string ca_file{};  // empty: the system's store
  std::string client_certificate_file{};
  std::string client_key_file{};
  bool insecure = false;  // any certificate will do
  std::chrono::milliseconds connect_timeout{10'000};
  // A connection is given up after this, so that a server that moved is found again.
  std::chrono::seconds connection_lifetime{300};
  // Version 2, without TLS by prior knowledge; else 1.1. Trailers come as headers do.
  bool http2 = false;
};

struct HttpRequest {
  const std::string& url;
  const HttpHeaders& headers;
  std::optional<std::string_view> body = std::nullopt;  // there: it is posted; else it is a GET
  std::chrono::milliseconds timeout;                    // for all of it, connecting included
};

// Takes an answer piece by piece. False: no more of it is wanted, and the transfer ends broken.
class HttpAnswer {
 public:
  virtual ~HttpAnswer() = default;
  // A line of a head with its end; "\r\n" is the last. Interim answers have heads too.
  [[nodiscard]] virtual bool take_header(std::string_view line) = 0;
  [[nodiscard]] virtual bool take_body(std::string_view bytes) = 0;
};

enum class TransferEnd : std::uint8_t {
  kWhole,    // the answer is complete
  kBroken,   // no answer, or not all of it
  kStopped,  // finish_by's time came first
};

struct Transferred {
  TransferEnd end = TransferEnd::kBroken;
  long status = 0;      // of the answer, also of one cut short; 0: none
  std::string trouble;  // of kBroken: why
};

class HttpTransfer {
 public:
  // Fails where libcurl does not start. Before a process gives up the sight of the system's files,
  // since libcurl's TLS library reads its settings once.
  static Result<std::unique_ptr<HttpTransfer>> make(TransferSettings settings);

  Transferred send(const HttpRequest& request, HttpAnswer& answer);
  // Of the answer under way, as far as it has come, or else of the last.
  [[nodiscard]] long status() const;
  // Any thread: send() in flight and all later ones end by then.
  void finish_by(std::chrono::steady_clock::time_point deadline);

 private:
  struct ReleaseEasy {
    void operator()(void* easy) const noexcept;
  };
  struct ReleaseMulti {
    void operator()(void* multi) const noexcept;
  };

  explicit HttpTransfer(TransferSettings settings) : settings_(std::move(settings)) {}
  Result<> open_connection();
  [[nodiscard]] long version_for(const std::string& url) const;
  [[nodiscard]] bool prepare(const HttpRequest& request, HttpAnswer& answer);
  int perform(bool& stopped);
  void forget_request();
  [[nodiscard]] std::string tls_files_stamp() const;

  const TransferSettings settings_;
  std::string error_text_;
  std::string stamp_;  // of the certificate files the connection was made with

  std::mutex multi_mutex_;  // finish_by wakes what send replaces
  std::unique_ptr<void, ReleaseMulti> multi_;
  std::unique_ptr<void, ReleaseEasy> easy_;
  std::atomic<std::int64_t> finish_by_ns_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace exa
