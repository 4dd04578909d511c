#include "agent/run/prober/tls_probes.h"

#include <utility>

namespace exa {
namespace {

using kernel::TlsProbe;
using kernel::TlsProbeKind;
using kernel::TlsShape;

TlsProbe probe_of(const ProbeSite& site) {
  const auto probe = [&](TlsProbeKind kind, TlsShape shape) {
    const bool returns = site.point == ProbePoint::kReturn;
    return TlsProbe{.kind = returns ? TlsProbeKind::kReadReturn : kind,
                    .shape = shape,
                    .file_offset = site.file_offset};
  };
  switch (site.role) {
    case TlsRole::kSslRead:
    case TlsRole::kGnuTlsReceive:
    case TlsRole::kGnuTlsReceiveSequence:
      return probe(TlsProbeKind::kRead, TlsShape::kSized);
    case TlsRole::kSslReadEx:
      return probe(TlsProbeKind::kRead, TlsShape::kPointer);
    case TlsRole::kSslReadInner:
      return probe(TlsProbeKind::kRead, TlsShape::kInner);
    case TlsRole::kSslWriteInner:
      return probe(TlsProbeKind::kWrite, TlsShape::kInner);
    case TlsRole::kSslWrite:
    case TlsRole::kGnuTlsSend:
    case TlsRole::kGnuTlsSend2:
      return probe(TlsProbeKind::kWrite, TlsShape::kSized);
    case TlsRole::kSslWriteEx:
      return probe(TlsProbeKind::kWrite, TlsShape::kPointer);
    case TlsRole::kSslFree:
    case TlsRole::kGnuTlsDeinit:
      return probe(TlsProbeKind::kFree, TlsShape::kSized);
    case TlsRole::kSslHandshake:
    case TlsRole::kGnuTlsHandshake:
      return probe(TlsProbeKind::kHandshake, TlsShape::kSized);
    case TlsRole::kSslAccepts:
    case TlsRole::kSslConnects:
      return probe(TlsProbeKind::kBegin, TlsShape::kSized);
    case TlsRole::kGoRead:
      return probe(TlsProbeKind::kRead, TlsShape::kGo);
    case TlsRole::kGoWrite:
      return probe(TlsProbeKind::kWrite, TlsShape::kGo);
    case TlsRole::kGoServerHandshake:
      return probe(TlsProbeKind::kBegin, TlsShape::kGo);
    case TlsRole::kGoClientHandshake:
      return probe(TlsProbeKind::kHandshake, TlsShape::kGo);
  }
  std::unreachable();
}

}  // namespace

std::vector<TlsProbe> tls_probes(const AttachPlan& plan) {
  std::vector<TlsProbe> probes;
  for (const ProbeSite& site : plan.sites)
    probes.push_back(probe_of(site));
  return probes;
}

}  // namespace exa
