// What to probe in one file so that its TLS plaintext is seen, or the plain reason why it is not
// readable. Pure values: made by plan_attachment, applied by the kernel room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exa/abi/tls.h"

namespace exa {

enum class TlsLibrary : std::uint8_t { kOpenSsl, kBoringSsl, kGnuTls, kGo };
// "OpenSSL", "GnuTLS" ...
[[nodiscard]] std::string_view library_name(TlsLibrary library);

// X(enumerator, sentence): what was found out about a file's TLS.
#define EXA_TLS_VERDICTS(X)                                                                \
  X(kReadable, "TLS is read by probes")                                                    \
  X(kNoLibrary, "no TLS library found")                                                    \
  X(kReturnsUnknown, "where its read functions return could not be determined safely")     \
  X(kGoWithoutTls, "a Go program without crypto/tls")                                      \
  X(kGoUnreadable, "a Go program whose functions could not be located safely")             \
  X(kGoOld, "a Go program built before Go 1.17: it passes arguments on the stack")         \
  X(kRustls, "rustls: Rust inlines its functions, so there is no fixed place to probe")    \
  X(kJvm, "Java: TLS is compiled at run time (JSSE), so there is no fixed place to probe") \
  X(kNss, "NSS: this TLS library is not supported")                                        \
  X(kMbedTls, "Mbed TLS: this TLS library is not supported")                               \
  X(kWolfSsl, "wolfSSL: this TLS library is not supported")                                \
  X(kS2n, "s2n-tls: this TLS library is not supported")                                    \
  X(kOpenSslStripped, "OpenSSL is statically linked and its symbols are stripped")         \
  X(kBoringSslStripped, "BoringSSL is statically linked and its symbols are stripped")     \
  X(kUnknownMachine, "built for a machine whose calls are not supported")                  \
  X(kNotElf, "not a 64-bit little-endian ELF program or library")                          \
  X(kUnreadable, "its ELF structures are damaged, or the file cannot be read")             \
  X(kOverLimit, "reading it would exceed the time or memory allowed for one file")         \
  X(kHeldUp, "held up: the agent's reader got no answer in time")

enum class TlsVerdict : std::uint8_t {
#define EXA_X(name, sentence) name,
  EXA_TLS_VERDICTS(EXA_X)
#undef EXA_X
};
[[nodiscard]] std::string_view sentence(TlsVerdict verdict);

// Of the verdicts on several files of one process, the one that tells most.
[[nodiscard]] TlsVerdict more_telling(TlsVerdict a, TlsVerdict b);
// A library is there, and it is not readable.
[[nodiscard]] bool is_unreadable_library(TlsVerdict verdict);

// X(enumerator, library function, what a probe at its entry sees, how it takes its arguments): what
// a probed function does.
// clang-format off
#define EXA_TLS_ROLES(X) \
  X(kSslRead, "SSL_read", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_SIZED)                                       \
  X(kSslReadEx, "SSL_read_ex", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_POINTER)                                \
  X(kSslWrite, "SSL_write", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_SIZED)                                    \
  X(kSslWriteEx, "SSL_write_ex", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_POINTER)                             \
  X(kSslReadInner, "ssl_read_internal", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_INNER)                         \
  X(kSslWriteInner, "ssl_write_internal", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_INNER)                      \
  X(kSslFree, "SSL_free", EXA_TLS_PROBE_FREE, EXA_TLS_SHAPE_SIZED)                                       \
  X(kSslHandshake, "SSL_do_handshake", EXA_TLS_PROBE_HANDSHAKE, EXA_TLS_SHAPE_SIZED)                     \
  X(kSslAccepts, "SSL_set_accept_state", EXA_TLS_PROBE_BEGIN, EXA_TLS_SHAPE_SIZED)                       \
  X(kSslConnects, "SSL_set_connect_state", EXA_TLS_PROBE_BEGIN, EXA_TLS_SHAPE_SIZED)                     \
  X(kGnuTlsReceive, "gnutls_record_recv", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_SIZED)                       \
  X(kGnuTlsReceiveSequence, "gnutls_record_recv_seq", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_SIZED)           \
  X(kGnuTlsSend, "gnutls_record_send", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_SIZED)                         \
  X(kGnuTlsSend2, "gnutls_record_send2", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_SIZED)                       \
  X(kGnuTlsHandshake, "gnutls_handshake", EXA_TLS_PROBE_HANDSHAKE, EXA_TLS_SHAPE_SIZED)                  \
  X(kGnuTlsDeinit, "gnutls_deinit", EXA_TLS_PROBE_FREE, EXA_TLS_SHAPE_SIZED)                             \
  X(kGoRead, "crypto/tls.(*Conn).Read", EXA_TLS_PROBE_READ, EXA_TLS_SHAPE_GO)                            \
  X(kGoWrite, "crypto/tls.(*Conn).Write", EXA_TLS_PROBE_WRITE, EXA_TLS_SHAPE_GO)                         \
  X(kGoServerHandshake, "crypto/tls.(*Conn).serverHandshake", EXA_TLS_PROBE_BEGIN, EXA_TLS_SHAPE_GO)     \
  X(kGoClientHandshake, "crypto/tls.(*Conn).clientHandshake", EXA_TLS_PROBE_HANDSHAKE, EXA_TLS_SHAPE_GO) \
  X(kGoDecode, "golang.org/x/net/http2/hpack.(*Decoder).Write", EXA_TLS_PROBE_DECODER, EXA_TLS_SHAPE_GO) \
  X(kGoOwnDecode, "vendor/golang.org/x/net/http2/hpack.(*Decoder).Write", EXA_TLS_PROBE_DECODER, EXA_TLS_SHAPE_GO) \
  X(kGoEncode, "golang.org/x/net/http2/hpack.(*Encoder).WriteField", EXA_TLS_PROBE_ENCODER, EXA_TLS_SHAPE_GO) \
  X(kGoOwnEncode, "vendor/golang.org/x/net/http2/hpack.(*Encoder).WriteField", EXA_TLS_PROBE_ENCODER, EXA_TLS_SHAPE_GO)
// clang-format on

enum class TlsRole : std::uint8_t {
#define EXA_X(name, function, probe, shape) name,
  EXA_TLS_ROLES(EXA_X)
#undef EXA_X
};
[[nodiscard]] std::string_view function_name(TlsRole role);

enum class ProbePoint : std::uint8_t {
  kEntry,   // where the function's arguments and stack are as they came
  kReturn,  // where its result is, and its stack as its caller had it
};

struct ProbeSite {
  TlsLibrary library;
  TlsRole role;
  ProbePoint point;
  std::uint64_t file_offset;
  // What the program on it is told.
  [[nodiscard]] exa_tls_probe probe() const;
  [[nodiscard]] exa_tls_shape shape() const;
  // It tells of no plaintext, but of a table of HPACK.
  [[nodiscard]] bool tells_table() const;
  auto operator<=>(const ProbeSite&) const = default;
};

struct AttachPlan {
  TlsVerdict verdict = TlsVerdict::kNoLibrary;
  std::vector<ProbeSite> sites;  // at most kMaxSites; empty unless readable
  std::string go_version;        // of a Go program, as its linker wrote it
  std::string build_id;          // hexadecimal, empty if the file has none
  bool searched = false;         // also for what only constants betray, see library_traces.h
  [[nodiscard]] bool readable() const { return verdict == TlsVerdict::kReadable; }
};

inline constexpr std::size_t kMaxSites = 256;

}  // namespace exa
