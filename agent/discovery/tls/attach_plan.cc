#include "agent/discovery/tls/attach_plan.h"

#include <array>
#include <cstddef>

namespace exa {
namespace {

int weight(TlsVerdict verdict) {
  switch (verdict) {
    case TlsVerdict::kReadable:
      return 3;
    case TlsVerdict::kNoLibrary:
    case TlsVerdict::kNotElf:
      return 0;
    case TlsVerdict::kGoWithoutTls:
    case TlsVerdict::kUnknownMachine:
    case TlsVerdict::kUnreadable:
    case TlsVerdict::kOverLimit:
    case TlsVerdict::kHeldUp:
      return 1;
    default:
      return 2;  // a library is there, and it is not readable
  }
}

struct Call {
  exa_tls_probe at_entry;
  exa_tls_shape shape;
};
constexpr std::array kCalls = {
#define EXA_X(name, function, probe, shape) Call{probe, shape},
    EXA_TLS_ROLES(EXA_X)
#undef EXA_X
};

}  // namespace

std::string_view sentence(TlsVerdict verdict) {
  switch (verdict) {
#define EXA_X(name, text) \
  case TlsVerdict::name:  \
    return text;
    EXA_TLS_VERDICTS(EXA_X)
#undef EXA_X
  }
  return "unknown";
}

std::string_view library_name(TlsLibrary library) {
  switch (library) {
    case TlsLibrary::kOpenSsl:
      return "OpenSSL";
    case TlsLibrary::kBoringSsl:
      return "BoringSSL";
    case TlsLibrary::kGnuTls:
      return "GnuTLS";
    case TlsLibrary::kGo:
      return "Go crypto/tls";
  }
  return "";
}

TlsVerdict more_telling(TlsVerdict a, TlsVerdict b) {
  return weight(b) > weight(a) ? b : a;
}

bool is_unreadable_library(TlsVerdict verdict) {
  return weight(verdict) == 2;
}

std::string_view function_name(TlsRole role) {
  switch (role) {
#define EXA_X(name, function, probe, shape) \
  case TlsRole::name:                       \
    return function;
    EXA_TLS_ROLES(EXA_X)
#undef EXA_X
  }
  return "unknown";
}

exa_tls_probe ProbeSite::probe() const {
  if (point == ProbePoint::kReturn) return EXA_TLS_PROBE_READ_RETURN;
  return kCalls.at(static_cast<std::size_t>(role)).at_entry;
}

bool ProbeSite::tells_table() const {
  return probe() == EXA_TLS_PROBE_DECODER || probe() == EXA_TLS_PROBE_ENCODER;
}

exa_tls_shape ProbeSite::shape() const {
  return kCalls.at(static_cast<std::size_t>(role)).shape;
}

}  // namespace exa
