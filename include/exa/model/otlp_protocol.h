// How OTLP is spoken: as it is configured, and as it is sent.
#pragma once

#include <cstdint>

namespace exa {

enum class OtlpProtocol : std::uint8_t { kHttp, kGrpc };

}  // namespace exa
