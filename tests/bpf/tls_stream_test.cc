// What a TLS write means, and which record speaks for which socket: the pure part of the TLS
// programs.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "bpf/lib/tls_stream.h"

namespace {

constexpr __u64 kBuffer = 0x7000'0000;

exa_tls_stream after_write(__u32 size_bytes) {
  exa_tls_stream stream{};
  stream.write = {.buffer = kBuffer,
                  .size_bytes = size_bytes,
                  .blocked = 0,
                  .proven = 1,
                  .reserved = {},
                  .sent_bytes = 0,
                  .new_bytes = size_bytes,
                  .reserved_too = 0};
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

// Ruby moves what was not written to the front of its buffer.
TEST(TlsWrite, OfTheRestOfAPartialWriteIsNotNewWhereverItLies) {
  auto stream = after_write(20'037);
  stream.socket.provenance = EXA_TLS_NESTED;
  stream.write.sent_bytes = 16'384 + 22;  // one record has left
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 20'037 - 16'384), 0u);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer + 9000, 20'037 - 16'384), 0u);
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 3'000), 3'000u);

  // All has left: of the same length, but other bytes.
  stream.write.sent_bytes = 20'037 + 2 * 22;
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 20'037 - 16'384), 20'037u - 16'384);
  // The library only sees memory: what has left says nothing of what was written.
  stream.write.sent_bytes = 16'384 + 22;
  stream.socket.provenance = EXA_TLS_SEQUENCE;
  EXPECT_EQ(exa_tls_new_bytes(&stream, kBuffer, 20'037 - 16'384), 20'037u - 16'384);
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

// Two bytes of type and version, length, then as many bytes.
void append_record(std::vector<__u8>& bytes, __u8 type, std::size_t length) {
  bytes.insert(bytes.end(),
               {type, 3, 3, static_cast<__u8>(length >> 8), static_cast<__u8>(length)});
  bytes.resize(bytes.size() + length, 0xee);
}

__u32 last_record(const std::vector<__u8>& bytes) {
  return exa_tls_last_record_bytes(bytes.data(),
                                   static_cast<__u32>(std::min<std::size_t>(bytes.size(), 128)));
}

TEST(TlsRecord, TheRequestOftenFollowsTheLastWordOfTheHandshake) {
  std::vector<__u8> bytes;
  EXPECT_EQ(last_record(bytes), 0u);
  append_record(bytes, 0x14, 1);
  EXPECT_EQ(last_record(bytes), 0u);
  append_record(bytes, 0x17, 53);
  EXPECT_EQ(last_record(bytes), 53u);
  append_record(bytes, 0x17, 300);
  EXPECT_EQ(last_record(bytes), 300u);
  append_record(bytes, 0x17, 20);  // begins beyond the bytes that are looked at
  EXPECT_EQ(last_record(bytes), 300u);

  EXPECT_EQ(last_record(std::vector<__u8>(128, 0xee)), 0u) << "the middle of a record";
  EXPECT_EQ(last_record(std::vector<__u8>(128, 0x17)), 0u);
}

// An answer of 40,000 bytes, of which the head's 100 were told when it was written.
exa_tls_stream after_answer() {
  auto stream = after_write(40'000);
  stream.state.flow[EXA_EGRESS] = {};
  stream.state.flow[EXA_EGRESS].position = 100;
  stream.state.flow[EXA_EGRESS].last_byte_ns = 1;
  stream.state.flow[EXA_EGRESS].started = 1;
  stream.unsent_bytes = 39'900;
  return stream;
}

TEST(TlsAnswer, EndsWhenItsLastByteLeft) {
  auto stream = after_answer();
  const auto& flow = stream.state.flow[EXA_EGRESS];
  exa_tls_left(&stream, 10, 16'406);
  EXPECT_EQ(flow.position, 100u + 16'406);
  exa_tls_left(&stream, 20, 16'406);
  EXPECT_EQ(flow.last_byte_ns, 20u);
  exa_tls_left(&stream, 30, 7'254);
  EXPECT_EQ(flow.position, 40'000u);
  EXPECT_EQ(flow.last_byte_ns, 30u);
  exa_tls_left(&stream, 99, 24);  // an alert
  EXPECT_EQ(flow.position, 40'000u);
  EXPECT_EQ(flow.last_byte_ns, 30u);
}

TEST(TlsAnswer, IsWholeWithoutTheOverheadOfItsRecords) {
  auto stream = after_answer();
  exa_tls_left(&stream, 10, 40'000);  // the kernel encrypts
  EXPECT_EQ(stream.unsent_bytes, 0u);
  EXPECT_EQ(stream.state.flow[EXA_EGRESS].position, 40'000u);
}

TEST(TlsAnswer, CutByItsClientStaysCut) {
  auto stream = after_answer();
  exa_tls_left(&stream, 10, 16'406);
  EXPECT_EQ(stream.state.flow[EXA_EGRESS].position, 16'506u);
  EXPECT_EQ(stream.unsent_bytes, 23'494u);
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
