// Ring records as the kernel writes them, for the tests of their decoder.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "agent/capture/event_decoder.h"
#include "exa/abi/event.h"

namespace exa::testing {

template <typename T>
T raw_event(std::uint8_t type, std::size_t extra_bytes = 0) {
  T raw{};
  auto& header = reinterpret_cast<exa_event_header&>(raw);
  header.size_bytes = static_cast<__u32>(sizeof raw + extra_bytes);
  header.type = type;
  header.ktime_ns = 5'000;
  header.socket_id = 77;
  header.tgid = 42;
  return raw;
}

template <typename T>
std::vector<std::byte> bytes_of(const T& raw, std::string_view payload = {}) {
  std::vector<std::byte> bytes(sizeof raw + payload.size());
  std::memcpy(bytes.data(), &raw, sizeof raw);
  if (!payload.empty()) std::memcpy(bytes.data() + sizeof raw, payload.data(), payload.size());
  return bytes;
}

inline exa_chunk_event raw_chunk(std::string_view payload) {
  auto raw = raw_event<exa_chunk_event>(EXA_EVENT_CHUNK, payload.size());
  raw.position = 1'000;
  raw.previous_last_byte_ns = 4'000;
  raw.other = {.position = 300, .last_byte_ns = 4'500};
  raw.arrival_ns = 4'900;
  raw.length_bytes = 2'000;
  raw.captured_bytes = static_cast<__u32>(payload.size());
  raw.tcp_sequence = 0xfffffff0;
  raw.direction = EXA_EGRESS;
  return raw;
}

inline DecodeError error_of(const std::vector<std::byte>& record) {
  const auto event = decode_event(record);
  EXPECT_FALSE(event.has_value());
  return event ? DecodeError::kTruncated : event.error();
}

}  // namespace exa::testing
