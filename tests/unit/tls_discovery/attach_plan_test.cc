#include "agent/discovery/tls/attach_plan.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

ProbeSite site(TlsRole role, ProbePoint point = ProbePoint::kEntry) {
  return {.library = TlsLibrary::kOpenSsl, .role = role, .point = point, .file_offset = 0};
}

TEST(ProbeSite, TellsTheProgramWhatItStandsOn) {
  EXPECT_EQ(site(TlsRole::kSslRead).probe(), EXA_TLS_PROBE_READ);
  EXPECT_EQ(site(TlsRole::kSslRead).shape(), EXA_TLS_SHAPE_SIZED);
  EXPECT_EQ(site(TlsRole::kSslWriteEx).probe(), EXA_TLS_PROBE_WRITE);
  EXPECT_EQ(site(TlsRole::kSslWriteEx).shape(), EXA_TLS_SHAPE_POINTER);
  EXPECT_EQ(site(TlsRole::kSslReadInner).shape(), EXA_TLS_SHAPE_INNER);
  EXPECT_EQ(site(TlsRole::kSslConnects).probe(), EXA_TLS_PROBE_BEGIN);
  EXPECT_EQ(site(TlsRole::kGnuTlsDeinit).probe(), EXA_TLS_PROBE_FREE);
  EXPECT_EQ(site(TlsRole::kGoServerHandshake).probe(), EXA_TLS_PROBE_BEGIN);
  EXPECT_EQ(site(TlsRole::kGoClientHandshake).probe(), EXA_TLS_PROBE_HANDSHAKE);
  EXPECT_EQ(site(TlsRole::kGoClientHandshake).shape(), EXA_TLS_SHAPE_GO);
}

TEST(ProbeSite, WhereAReadGivesItsResultBackIsAPlaceOfItsOwn) {
  const auto back = site(TlsRole::kGoRead, ProbePoint::kReturn);
  EXPECT_EQ(back.probe(), EXA_TLS_PROBE_READ_RETURN);
  EXPECT_EQ(back.shape(), EXA_TLS_SHAPE_GO);
}

}  // namespace
}  // namespace exa
