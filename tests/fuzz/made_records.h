// Ring records and targets as production makes them, with content of a stranger: positions, times
// and sizes are sound, so that what comes behind the first checks is reached too.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exa/abi/event.h"
#include "exa/model/target.h"

namespace exa::fuzz {

class MadeRecords {
 public:
  static constexpr std::uint8_t kConnections = 12;

  // Each moves the time on; ns is where it stands.
  std::uint64_t now_ns = 1'000'000'000;

  // conversation: who of kConnections; form: 1 egress, 2 TLS, 4 nothing captured, 8 bytes that
  // nobody saw before it, 16 no arrival, 32 the captured part ends halfway.
  std::vector<std::byte> chunk(std::uint8_t conversation, std::uint8_t form,
                               std::string_view text) {
    text = text.substr(0, EXA_MAX_CAPTURE_BYTES);
    auto& flow = flows_[conversation % kConnections];
    const std::size_t direction = form & 1;
    if ((form & 8) != 0) flow[direction].position += 1'000;
    const auto captured = (form & 4) != 0    ? std::string_view{}
                          : (form & 32) != 0 ? text.substr(0, text.size() / 2)
                                             : text;
    auto record = made<exa_chunk_event>(EXA_EVENT_CHUNK, conversation);
    record.position = flow[direction].position;
    record.previous_last_byte_ns = flow[direction].last_byte_ns;
    record.other = flow[1 - direction];
    if (direction == EXA_INGRESS && (form & 16) == 0) record.arrival_ns = now_ns - 300'000;
    record.length_bytes = static_cast<__u32>(text.size());
    record.captured_bytes = static_cast<__u32>(captured.size());
    record.tcp_sequence = 1'000 + static_cast<__u32>(record.position);
    record.direction = static_cast<__u8>(direction);
    record.flags = (form & 2) != 0 ? EXA_CHUNK_TLS : 0;
    record.other_moved = (form & 4) != 0 ? 1 : 0;
    record.facts = facts_of(conversation, form);
    if (!text.empty()) flow[direction] = {record.position + text.size(), now_ns};
    return bytes_of(record, captured);
  }

  // form: 1 egress; the rest as facts_of says.
  std::vector<std::byte> last_call(std::uint8_t conversation, std::uint8_t form) {
    auto record = made<exa_last_call_event>(EXA_EVENT_LAST_CALL, conversation);
    record.direction = form & 1;
    record.last_byte_ns = flows_[conversation % kConnections][form & 1].last_byte_ns;
    record.facts = facts_of(conversation, form);
    return bytes_of(record, {});
  }

  // form: what it does. Of the threads that facts_of makes, or of none.
  std::vector<std::byte> look(std::uint8_t thread, std::uint8_t form) {
    auto record = made<exa_look_event>(EXA_EVENT_LOOK, 0);
    record.header.socket_id = 0;
    record.thread = thread;
    record.doing = form % (EXA_DOINGS + 1);
    return bytes_of(record, {});
  }

  // form: a cause, and how long. Of those threads, or of none, since some time before.
  std::vector<std::byte> sleeps(std::uint8_t thread, std::uint8_t form) {
    auto record = made<exa_sleeps_event>(EXA_EVENT_SLEEPS, 0);
    record.header.socket_id = 0;
    record.thread = thread;
    record.from_ns = now_ns - (form % 16) * std::uint64_t{100'000};
    record.asleep_us[form % EXA_SLEEP_CAUSES] = form * 1'000u;
    return bytes_of(record, {});
  }

  std::vector<std::byte> socket(std::uint8_t conversation, std::string_view addresses) {
    auto record = made<exa_socket_event>(EXA_EVENT_SOCKET, conversation);
    record.family = addresses.size() > 12 ? 10 : 2;  // AF_INET6, AF_INET
    std::array<char, 36> text{};
    std::memcpy(text.data(), addresses.data(), std::min(addresses.size(), text.size()));
    std::memcpy(record.local_address, text.data(), 16);
    std::memcpy(record.remote_address, text.data() + 16, 16);
    std::memcpy(&record.local_port, text.data() + 32, 2);
    std::memcpy(&record.remote_port, text.data() + 34, 2);
    return bytes_of(record, {});
  }

  std::vector<std::byte> end(std::uint8_t conversation, std::uint8_t form) {
    auto record = made<exa_end_event>(EXA_EVENT_END, conversation);
    std::ranges::copy(flows_[conversation % kConnections], record.direction);
    record.flags = form & 7u;
    record.socket_error = form >> 3;
    if ((record.flags & EXA_END_FINAL) != 0) flows_[conversation % kConnections] = {};
    return bytes_of(record, {});
  }

  std::vector<std::byte> process(std::uint8_t tgid, std::uint8_t start, std::string_view name) {
    auto record = made<exa_process_event>(EXA_EVENT_PROCESS, tgid);
    record.header.socket_id = 0;
    record.start_time_ns = std::uint64_t{start} * 5'000'000;
    std::memcpy(record.comm, name.data(), std::min<std::size_t>(name.size(), EXA_COMM_BYTES));
    std::memcpy(record.exe_name, name.data(),
                std::min<std::size_t>(name.size(), EXA_EXE_NAME_BYTES));
    return bytes_of(record, {});
  }

  std::vector<std::byte> exit(std::uint8_t tgid) {
    auto header = made<exa_process_exit>(EXA_EVENT_PROCESS_EXIT, tgid);
    header.header.socket_id = 0;
    return bytes_of(header, {});
  }

  // texts: the service's name, then keys and values in turn, each ended by NUL. form: 1 excluded,
  // 2 chosen, 4 provisional; the rest is the start time.
  static Target target(std::uint8_t tgid, std::uint8_t form, std::string_view texts) {
    const auto next = [&] {
      std::string text(texts.substr(0, texts.find('\0')));
      texts.remove_prefix(std::min(texts.size(), text.size() + 1));
      return text;
    };
    auto resource = std::make_shared<Resource>();
    Target target;
    target.process = {.tgid = tgid_of(tgid), .start_time_ns = std::uint64_t{form} / 8 * 5'000'000};
    target.observed = (form & 1) == 0;
    target.name_chosen = (form & 2) != 0;
    target.provisional = (form & 4) != 0;
    target.service_name = next();
    resource->attributes.push_back({"service.name", target.service_name});
    // As the prober does: no two processes have the same instance.
    resource->attributes.push_back(
        {"service.instance.id", "host-" + std::to_string(target.process.tgid) + "-" +
                                    std::to_string(target.process.start_time_ns)});
    while (!texts.empty() && resource->attributes.size() < 20) {
      auto key = next();
      resource->attributes.push_back({std::move(key), next()});
    }
    target.resource = std::move(resource);
    return target;
  }

 private:
  struct exa_process_exit {
    exa_event_header header;
  };
  static std::uint32_t tgid_of(std::uint8_t number) { return 100 + number % 10u; }

  // Of one of three threads, which serve several conversations; of form 64 nothing is known, of
  // form 128 the totals are any numbers.
  [[nodiscard]] exa_call_facts facts_of(std::uint8_t conversation, std::uint8_t form) const {
    if ((form & 64) != 0) return {};
    const auto totals = (form & 128) != 0 ? ~now_ns : now_ns / 3;
    return {.thread = {.cpu_wait_ns = totals / 2,
                       .on_cpu_ns = totals,
                       .exec_start_ns = now_ns - form,
                       .throttled_ns = totals / 4,
                       .throttled = static_cast<__u32>(totals >> 20),
                       .thread = conversation % 3u,
                       .voluntary_switches = static_cast<__u32>(totals >> 10),
                       .minor_faults = static_cast<__u32>(totals),
                       .major_faults = form,
                       .known = static_cast<__u16>(EXA_FACTS_THREAD | (form & 14)),
                       .group = form},
            .socket = {.retransmits = form,
                       .out_of_order = conversation,
                       .receiver_limited_ms = static_cast<__u32>(totals >> 8),
                       .connect_us = form}};
  }

  template <typename Record>
  Record made(exa_event_type type, std::uint8_t who) const {
    Record record{};
    record.header.size_bytes = sizeof record;
    record.header.type = static_cast<__u8>(type);
    record.header.ktime_ns = now_ns;
    record.header.socket_id = 1 + who % kConnections;
    record.header.tgid = tgid_of(who);
    return record;
  }
  template <typename Record>
  static std::vector<std::byte> bytes_of(Record record, std::string_view payload) {
    const auto padded = (payload.size() + 7) / 8 * 8;
    record.header.size_bytes += static_cast<__u32>(padded);
    std::vector<std::byte> bytes(sizeof record + padded);
    std::memcpy(bytes.data(), &record, sizeof record);
    if (!payload.empty()) std::memcpy(bytes.data() + sizeof record, payload.data(), payload.size());
    return bytes;
  }

  std::array<std::array<exa_direction_state, 2>, kConnections> flows_{};
};

}  // namespace exa::fuzz
