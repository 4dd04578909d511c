// One answer of a gRPC server as a transfer hands it over, and the verdict on it, as the OTLP
// exporter specification has it for each status of a call. Pure: a stranger's bytes in, what
// becomes of the request out. Owned by GrpcSender, on its thread. Budget: 64 KiB of head and
// trailers, 64 KiB of body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/otlp/reply.h"
#include "exporters/queue/sender.h"
#include "exporters/transfer/http_transfer.h"

namespace exa {

class GrpcReply final : public HttpAnswer {
 public:
  // False: it is longer than any answer to an OTLP request, read no more of it.
  [[nodiscard]] bool take_header(std::string_view line) override;
  [[nodiscard]] bool take_body(std::string_view bytes) override;

  // http_status: 0 if there was none. broken: why the transfer did not come to its end, if so.
  // backend: its URL, for the log.
  [[nodiscard]] SendOutcome judge(long http_status, std::optional<std::string_view> broken,
                                  const std::string& backend) const;

 private:
  [[nodiscard]] SendOutcome judge_call(std::uint32_t status, const std::string& backend) const;
  [[nodiscard]] SendOutcome judge_success(const std::string& backend) const;

  [[nodiscard]] const char* flaw() const;  // of an answer that is none of gRPC's

  AnswerText answer_;
  std::string status_;   // grpc-status, of the trailers or of a head that is all there is
  std::string message_;  // grpc-message, percent-encoded
  std::string details_;  // grpc-status-details-bin, base64
};

}  // namespace exa
