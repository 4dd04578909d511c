#include "agent/trace/ids/id_generator.h"

#include <gtest/gtest.h>

#include <vector>

namespace exa {
namespace {

constexpr HashKey kReferenceKey = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  return to_hex(Id<N>{bytes});
}

std::array<std::uint8_t, 16> siphash128(const HashKey& key, std::span<const std::uint8_t> message) {
  return SipHash128Prefix(key, {}).digest(message);
}

// From the reference implementation of SipHash: key 00..0f, messages "", 00, 00 01, ...
TEST(SipHash, Gives64BitReferenceVectors) {
  const std::uint64_t expected[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
                                    0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
                                    0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
                                    0x9e0082df0ba9e4b0};
  for (std::size_t size = 0; size < std::size(expected); ++size)
    EXPECT_EQ(siphash64(kReferenceKey, counting(size)), expected[size]) << size;
  EXPECT_EQ(siphash64(kReferenceKey, counting(15)), 0xa129ca6149be45e5);
}

TEST(SipHash, OfACommonBeginningIsThatOfTheWholeMessage) {
  const auto message = counting(25);
  const auto whole = siphash128(kReferenceKey, message);
  for (const std::size_t common : {0, 8, 16, 24}) {
    const SipHash128Prefix prefix(kReferenceKey, std::span(message).first(common));
    EXPECT_EQ(prefix.digest(std::span(message).subspan(common)), whole) << common;
  }
}

TEST(SipHash, Gives128BitReferenceVectors) {
  EXPECT_EQ(hex(siphash128(kReferenceKey, counting(0))), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(hex(siphash128(kReferenceKey, counting(1))), "da87c1d86b99af44347659119b22fc45");
  EXPECT_EQ(hex(siphash128(kReferenceKey, counting(2))), "8177228da4a45dc7fca38bdef60affe4");
  EXPECT_EQ(hex(siphash128(kReferenceKey, counting(8))), "3b62a9ba6258f5610f83e264f31497b4");
}

IpEndpoint ipv4(std::uint8_t last, std::uint16_t port) {
  return {.address = {10, 0, 0, last}, .port = port};
}

IpEndpoint mapped(std::uint8_t last, std::uint16_t port) {
  return {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last},
          .port = port,
          .is_ipv6 = true};
}

Exchange at_server(IpEndpoint local, IpEndpoint remote, std::uint32_t sequence) {
  Exchange exchange;
  exchange.role = Role::kServer;
  exchange.local = local;
  exchange.remote = remote;
  exchange.request_sequence = sequence;
  return exchange;
}

Exchange at_client(IpEndpoint local, IpEndpoint remote, std::uint32_t sequence) {
  auto exchange = at_server(local, remote, sequence);
  exchange.role = Role::kClient;
  return exchange;
}

Exchange named(const IdGenerator& ids, Exchange exchange) {
  ids.name(exchange);
  return exchange;
}

TEST(IdGenerator, NamesBothEndsOfARequestAlike) {
  const IdGenerator ids(kReferenceKey);
  auto client = at_client(ipv4(1, 40000), ipv4(2, 80), 1234);
  auto server = at_server(ipv4(2, 80), ipv4(1, 40000), 1234);

  ids.name(client);
  ids.name(server);

  EXPECT_EQ(client.trace_id, server.trace_id);
  EXPECT_NE(client.span_id, server.span_id);
  EXPECT_EQ(client.trace_flags, kTraceRandom);
  EXPECT_TRUE(same_request(client, server));
  EXPECT_FALSE(same_request(server, client));
}

TEST(IdGenerator, SeesThroughMappedAddresses) {
  const IdGenerator ids(kReferenceKey);
  const auto client = at_client(ipv4(1, 40000), ipv4(2, 80), 1234);
  const auto server = at_server(mapped(2, 80), mapped(1, 40000), 1234);
  EXPECT_EQ(named(ids, client).trace_id, named(ids, server).trace_id);
  EXPECT_TRUE(same_request(client, server));
}

TEST(IdGenerator, TellsRequestsConnectionsAndSeedsApart) {
  const IdGenerator ids(kReferenceKey);
  const auto base = at_server(ipv4(2, 80), ipv4(1, 40000), 1234);
  const auto id = named(ids, base).trace_id;
  EXPECT_NE(named(ids, at_server(ipv4(2, 80), ipv4(1, 40000), 1235)).trace_id, id);
  EXPECT_NE(named(ids, at_server(ipv4(2, 80), ipv4(1, 40001), 1234)).trace_id, id);
  EXPECT_NE(named(ids, at_server(ipv4(3, 80), ipv4(1, 40000), 1234)).trace_id, id);
  EXPECT_NE(named(IdGenerator(HashKey{1}), base).trace_id, id);

  auto next = base;
  next.connection_number = 7;
  EXPECT_NE(named(ids, next).trace_id, id);
  auto client = at_client(ipv4(1, 40000), ipv4(2, 80), 1234);
  EXPECT_FALSE(same_request(client, next));
  client.connection_number = 7;
  EXPECT_TRUE(same_request(client, next));
  EXPECT_EQ(named(ids, client).trace_id, named(ids, next).trace_id);
}

TEST(IdGenerator, KeepsTheIncomingTraceIdAndStillMakesASpanId) {
  const IdGenerator ids(kReferenceKey);
  auto exchange = at_server(ipv4(2, 80), ipv4(1, 40000), 1234);
  exchange.has_context = true;
  exchange.trace_id.bytes[0] = 0xab;

  ids.name(exchange);

  EXPECT_EQ(to_hex(exchange.trace_id), "ab000000000000000000000000000000");
  EXPECT_TRUE(exchange.span_id.valid());
  EXPECT_EQ(exchange.trace_flags, 0);
}

TEST(IdGenerator, WithoutASequenceTimeTellsRequestsApartAndNothingIsLinked) {
  const IdGenerator ids(kReferenceKey);
  auto first = at_server(ipv4(2, 80), ipv4(1, 40000), 0);
  first.read = {1000};
  auto second = first;
  second.read = {2000};
  EXPECT_NE(named(ids, first).trace_id, named(ids, second).trace_id);
  EXPECT_NE(named(ids, first).span_id, named(ids, second).span_id);
  EXPECT_FALSE(same_request(at_client(ipv4(1, 40000), ipv4(2, 80), 0), first));
}

}  // namespace
}  // namespace exa
