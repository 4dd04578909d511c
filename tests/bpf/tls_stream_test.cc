// What a TLS write means, and which record speaks for which socket: the pure part of the TLS
// programs.
#include <gtest/gtest.h>

#include "bpf/lib/tls_stream.h"

namespace {

constexpr __u64 kBuffer = 0x7000'0000;

exa_tls_stream after_write(__u32 size_bytes) {
  exa_tls_stream stream{};
  stream.write = {
      .buffer = kBuffer, .size_bytes = size_bytes, .blocked = 0, .proven = 1, .reserved = {}};
  stream.state.flow[EXA_EGRESS].position = size_bytes;
  stream.state.flow[EXA_INGRESS].position = 100;
  return stream;
}

TEST(TlsWrite, TheFirstIsWhollyNew) {
  const exa_tls_stream stream{};
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 84), 84u);
}

TEST(TlsWrite, OfTheSameBufferAgainIsNew) {
  const auto stream = after_write(84);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 84), 84u);
}

TEST(TlsWrite, AfterABlockedOneOnlyWhatWasAddedIsNew) {
  auto stream = after_write(84);
  stream.write.blocked = 1;
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 84), 0u);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 100), 16u);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 4096, 84), 84u);
}

TEST(TlsWrite, OfTheRestOfAPartialWriteIsNotNew) {
  const auto stream = after_write(1'000'000);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 16'384, 1'000'000 - 16'384), 0u);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 3 * 16'384, 1'000'000 - 3 * 16'384), 0u);
  // Not a whole record later, or another end: other bytes.
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 10, 1'000'000 - 10), 1'000'000u - 10);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 16'384, 500), 500u);
}

TEST(TlsWrite, RepeatedWhileTheLibraryShakesHandsIsOne) {
  auto stream = after_write(73);
  stream.write.proven = 0;
  stream.state.flow[EXA_INGRESS].position = 0;
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 4096, 73), 0u);
  stream.from_handshake = 1;  // no write drives this handshake
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 4096, 73), 73u);
}

// The first 8 bytes of a record, as they lie in memory.
__u64 record(__u8 type, __u16 length) {
  return type | 0x0303ull << 8 | static_cast<__u64>(length >> 8) << 24 |
         static_cast<__u64>(length & 0xff) << 32;
}

TEST(TlsRecord, OnlyApplicationRecordsHaveALength) {
  EXPECT_EQ(exa_tls_record_bytes(record(0x17, 0x1234)), 0x1234u);
  EXPECT_EQ(exa_tls_record_bytes(record(0x16, 0x1234)), 0u);
}

TEST(TlsRecord, CarriesExactlyWhatItsCipherAdds) {
  for (const __u32 overhead : {16u, 17u, 24u})
    EXPECT_TRUE(exa_tls_carries(84 + overhead, 84)) << overhead;
  for (const __u32 overhead : {0u, 15u, 18u, 23u, 25u, 1000u})
    EXPECT_FALSE(exa_tls_carries(84 + overhead, 84)) << overhead;
  EXPECT_FALSE(exa_tls_carries(17, 0));
}

TEST(TlsSequence, IsProofTheSecondTimeAndNeverAfterAContradiction) {
  exa_tls_stream stream{};
  EXPECT_FALSE(exa_tls_weigh(&stream, 7));
  EXPECT_TRUE(exa_tls_weigh(&stream, 7));

  exa_tls_stream doubted{};
  EXPECT_FALSE(exa_tls_weigh(&doubted, 7));
  EXPECT_FALSE(exa_tls_weigh(&doubted, 8));
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(exa_tls_weigh(&doubted, 7));
}

}  // namespace
