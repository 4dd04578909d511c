// One answer of a backend as a transfer hands it over, line by line and piece by piece, and the
// verdict on it. Pure: a stranger's bytes in, what becomes of the request out. Owned by HttpSender,
// on its thread. Budget: 64 KiB of head, 64 KiB of body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exa/base/time.h"
#include "exporters/otlp/reply.h"
#include "exporters/queue/sender.h"
#include "exporters/transfer/http_transfer.h"

namespace exa {

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

  AnswerText answer_;
  std::string retry_after_;
  bool encoded_ = false;  // Content-Encoding other than identity
  bool json_ = false;
};

}  // namespace exa
