// The record file: everything that entered the pipeline, in order, so that a replay computes the
// same result bit by bit.
//
// File, in the host's byte order: a header {magic, version, size, seed, clock offset}, then frames
// {kind, length, payload}. A file of another version or byte order is refused.
// EventLogWriter: capture thread, owned by the composing layer, 64 KiB of buffer. EventLogReader:
// replay, one frame in memory; trusts nothing in the file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exa/base/result.h"
#include "exa/base/time.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct EventLogHeader {
  std::array<std::byte, 16> seed{};  // from which ids and the sampler's choices come
  WallClockOffset start_offset;
};

enum class FrameKind : std::uint32_t {
  kRingRecord = 1,
  kTargetMessage = 2,
  kClockOffset = 3,
  kWindowTick = 4,
  kWindowMerged =
      5,          // publication was behind: the window of the tick before joined the one waiting
  kPolicies = 6,  // of exemplars, from now on
  kPressure = 7,  // in the window of the next tick: bit 0 of the backend, bit 1 of the agent
};

inline constexpr std::size_t kMaxFrameBytes = 64 * 1024;

struct Frame {
  FrameKind kind = FrameKind::kRingRecord;
  std::uint64_t offset_bytes = 0;      // of the frame in the file
  std::span<const std::byte> payload;  // valid until the next call of next()

  // Set if the frame is of that kind; the reader has checked its length.
  [[nodiscard]] std::optional<WallClockOffset> clock_offset() const;
  [[nodiscard]] std::optional<MonotonicTime> window_tick() const;
  [[nodiscard]] std::optional<std::uint8_t> pressure() const;
};

// A write that fails (a full disk) ends the recording, never the agent: later calls do nothing and
// error() says once what happened.
class EventLogWriter {
 public:
  static Result<EventLogWriter> create(UniqueFd file, const EventLogHeader& header);
  EventLogWriter(EventLogWriter&&) = default;
  EventLogWriter& operator=(EventLogWriter&&) = default;
  ~EventLogWriter();

  void ring_record(std::span<const std::byte> record);
  void target_message(std::span<const std::byte> message);
  void clock_offset(WallClockOffset offset);
  void window_tick(MonotonicTime time);
  void window_merged();
  void pressure(std::uint8_t bits);
  void policies(std::string_view text);
  void flush();

  [[nodiscard]] bool stopped() const { return error_.has_value(); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  explicit EventLogWriter(UniqueFd file);
  void append_frame(FrameKind kind, std::span<const std::byte> payload);
  void append(const void* bytes, std::size_t size);

  UniqueFd file_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_bytes_ = 0;
  std::optional<Error> error_;
};

class EventLogReader {
 public:
  static Result<EventLogReader> open(UniqueFd file);

  [[nodiscard]] const EventLogHeader& header() const { return header_; }

  // The next frame; nullopt at the end of the file; an Error with the offset where the file is
  // not a record file any more.
  Result<std::optional<Frame>> next();

  // The file ends inside a frame (the recorder was killed); true only after the end was reached.
  [[nodiscard]] bool truncated() const { return truncated_; }
  [[nodiscard]] std::uint64_t offset_bytes() const { return offset_bytes_; }

 private:
  explicit EventLogReader(UniqueFd file);
  Result<std::size_t> read_up_to(std::size_t size);  // bytes now at the front of the buffer
  void consume(std::size_t size);

  UniqueFd file_;
  EventLogHeader header_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_bytes_ = 0;
  bool truncated_ = false;
};

}  // namespace exa
