// What a header block says of a request or of an answer (RFC 9113 section 8.3), gathered field by
// field as the decoder tells them. What is not known is left as it was: never another value.
// Pure, any thread, no allocation; texts are copied, since the decoder's live during its call only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/protocol/http2/hpack/decoder.h"
#include "agent/trace/context/context_reader.h"
#include "exa/base/inline_string.h"
#include "exa/model/exchange.h"

namespace exa::http2 {

class MessageHead {
 public:
  // contexts outlive it.
  explicit MessageHead(const ContextHeaders& contexts) : context_(contexts) {}

  void take(const hpack::Field& field);
  // All of the value is taken, and it may be told on: it is no secret.
  [[nodiscard]] static bool tells(std::string_view name, std::string_view value);

  // Only a request has such fields, or only an answer. Trailers have neither.
  [[nodiscard]] bool is_request() const { return is_request_; }
  [[nodiscard]] bool is_response() const { return is_response_; }

  [[nodiscard]] bool method_known() const { return method_known_; }
  [[nodiscard]] Method method() const { return method_; }
  // As sent, if method() does not say it.
  [[nodiscard]] const InlineString<21>& method_original() const { return method_original_; }
  // Without query; empty if there is none or it is not known.
  [[nodiscard]] const InlineString<101>& path() const { return path_; }
  // :authority, else the host field.
  [[nodiscard]] const InlineString<45>& host() const { return host_; }

  // 0: none, or it is not known.
  [[nodiscard]] std::uint16_t status() const { return status_; }
  // The answer is still to come.
  [[nodiscard]] bool is_interim() const { return status_ >= 100 && status_ < 200; }

  // kUnknownBytes if there is none.
  [[nodiscard]] std::uint64_t content_length() const { return content_length_; }
  // By its content type: a call, or the answer to one. grpc-web is another protocol.
  [[nodiscard]] bool is_grpc() const { return is_grpc_; }
  // Nothing that is known speaks against it, and not all is known.
  [[nodiscard]] bool may_be_grpc() const {
    return method_ == Method::kPost && partly_unknown_ && !content_type_known_;
  }
  // A field's name is not known, or the value of one that is read.
  [[nodiscard]] bool partly_unknown() const { return partly_unknown_; }
  // As sent, in trailers or in a head that is all of the answer.
  [[nodiscard]] std::optional<std::uint16_t> grpc_status() const { return grpc_status_; }
  // grpc-timeout; 0: none, or it is not known.
  [[nodiscard]] std::uint64_t timeout_ns() const { return timeout_ns_; }
  // Once all fields were taken. A traceparent whose name is not known is known by its form.
  [[nodiscard]] ContextReader context() const;

 private:
  void take_pseudo(std::string_view name, const hpack::Field& field);
  void take_regular(std::string_view name, const hpack::Field& field);
  void take_method(std::string_view value);
  void take_path(std::string_view value);
  void take_unnamed(const hpack::Field& field);

  InlineString<101> path_;
  InlineString<45> host_;
  InlineString<21> method_original_;
  ContextReader context_;
  InlineString<kTraceparentBytes> unnamed_context_;
  std::uint64_t content_length_ = kUnknownBytes;
  std::uint64_t timeout_ns_ = 0;
  std::optional<std::uint16_t> grpc_status_;
  std::uint16_t status_ = 0;
  Method method_ = Method::kOther;
  bool is_request_ = false;
  bool is_response_ = false;
  bool method_known_ = false;
  bool has_authority_ = false;
  bool is_grpc_ = false;
  bool content_type_known_ = false;
  bool partly_unknown_ = false;
  bool names_unknown_ = false;
  bool context_named_ = false;
  bool unnamed_contexts_differ_ = false;
};

}  // namespace exa::http2
