#include "agent/discovery/tls/attach_plan.h"

#include <utility>

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
  switch (role) {
#define EXA_X(name, function, at_entry, how) \
  case TlsRole::name:                        \
    return at_entry;
    EXA_TLS_ROLES(EXA_X)
#undef EXA_X
  }
  std::unreachable();
}

exa_tls_shape ProbeSite::shape() const {
  switch (role) {
#define EXA_X(name, function, at_entry, how) \
  case TlsRole::name:                        \
    return how;
    EXA_TLS_ROLES(EXA_X)
#undef EXA_X
  }
  std::unreachable();
}

}  // namespace exa
