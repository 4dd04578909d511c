// How a call ended, in the numbers of gRPC. A value.
#pragma once

#include <cstdint>

namespace exa {

// grpc.github.io/grpc/core/md_doc_statuscodes.html
enum class RpcStatus : std::uint8_t {
  kOk,
  kCancelled,
  kUnknown,
  kInvalidArgument,
  kDeadlineExceeded,
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kResourceExhausted,
  kFailedPrecondition,
  kAborted,
  kOutOfRange,
  kUnimplemented,
  kInternal,
  kUnavailable,
  kDataLoss,
  kUnauthenticated,
};
inline constexpr std::uint16_t kRpcStatuses = 17;

// As it stands in an operation.
constexpr std::uint16_t status_of(RpcStatus status) {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(status) + 1);
}

}  // namespace exa
