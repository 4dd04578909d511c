// One answer of a backend as a transfer hands it over, line by line and piece by piece, and the
// verdict on it. Pure: a stranger's bytes in, what becomes of the request out. Owned by HttpSender,
// on its thread. Budget: 64 KiB of head, 64 KiB of body.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "exa/base/time.h"
#include "exporters/queue/sender.h"
#include "exporters/transfer/http_transfer.h"

namespace exa {

inline constexpr std::size_t kLongestReplyHead = 64u << 10;
inline constexpr std::size_t kLongestReply = 64u << 10;

class HttpReply final : public HttpAnswer {
 public:
  // False: it is longer than any answer to an OTLP request, read no more of it.
  [[nodiscard]] bool take_header(std::string_view line) override;
  [[nodiscard]] bool take_body(std::string_view bytes) override;

  // broken: why the transfer did not come to its end, if so. backend: its URL, for the log.
  [[nodiscard]] SendOutcome judge(long status, std::optional<std::string_view> broken,
                                  const std::string& backend, WallTime now) const;

 private:
  [[nodiscard]] SendOutcome judge_success(long status, const std::string& backend) const;

  std::string body_;
  std::string retry_after_;
  std::size_t head_bytes_ = 0;
  bool encoded_ = false;  // Content-Encoding other than identity
  bool json_ = false;
  bool too_long_ = false;
};

}  // namespace exa
