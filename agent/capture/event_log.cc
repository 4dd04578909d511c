#include "agent/capture/event_log.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace exa {
namespace {

constexpr std::array<char, 8> kMagic = {'E', 'X', 'A', 'R', 'E', 'C', '\r', '\n'};
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kBufferBytes = kMaxFrameBytes + 8;  // holds the largest frame

struct FileHeader {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t size_bytes;
  std::array<std::byte, 16> seed;
  std::int64_t clock_offset_ns;
};
static_assert(sizeof(FileHeader) == 40);

struct FrameHeader {
  std::uint32_t kind;
  std::uint32_t length_bytes;
};
static_assert(sizeof(FrameHeader) == 8);

// Length that a frame of this kind must have; nullopt for any up to kMaxFrameBytes.
std::optional<std::size_t> fixed_length(FrameKind kind) {
  if (kind == FrameKind::kClockOffset || kind == FrameKind::kWindowTick) return 8;
  if (kind == FrameKind::kWindowMerged) return 0;
  if (kind == FrameKind::kPressure) return 1;
  return std::nullopt;
}

template <typename T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

std::optional<WallClockOffset> Frame::clock_offset() const {
  if (kind != FrameKind::kClockOffset) return std::nullopt;
  return WallClockOffset{load<std::int64_t>(payload.data())};
}

std::optional<MonotonicTime> Frame::window_tick() const {
  if (kind != FrameKind::kWindowTick) return std::nullopt;
  return MonotonicTime{load<std::uint64_t>(payload.data())};
}

std::optional<std::uint8_t> Frame::pressure() const {
  if (kind != FrameKind::kPressure) return std::nullopt;
  return load<std::uint8_t>(payload.data());
}

EventLogWriter::EventLogWriter(UniqueFd file) : file_(std::move(file)) {
  buffer_.reserve(kBufferBytes);
}

EventLogWriter::~EventLogWriter() {
  if (file_.valid()) flush();
}

Result<EventLogWriter> EventLogWriter::create(UniqueFd file, const EventLogHeader& header) {
  if (!file.valid()) return fail("record file: not open");
  EventLogWriter writer(std::move(file));
  const FileHeader raw{kMagic, kVersion, sizeof(FileHeader), header.seed, header.start_offset.ns};
  writer.append(&raw, sizeof raw);
  writer.flush();
  if (writer.error_) return std::unexpected(*writer.error_);
  return writer;
}

void EventLogWriter::ring_record(std::span<const std::byte> record) {
  append_frame(FrameKind::kRingRecord, record);
}

void EventLogWriter::target_message(std::span<const std::byte> message) {
  append_frame(FrameKind::kTargetMessage, message);
}

void EventLogWriter::clock_offset(WallClockOffset offset) {
  append_frame(FrameKind::kClockOffset, std::as_bytes(std::span(&offset.ns, 1)));
}

void EventLogWriter::window_tick(MonotonicTime time) {
  append_frame(FrameKind::kWindowTick, std::as_bytes(std::span(&time.ns, 1)));
}

void EventLogWriter::window_merged() {
  append_frame(FrameKind::kWindowMerged, {});
}

void EventLogWriter::pressure(std::uint8_t bits) {
  append_frame(FrameKind::kPressure, std::as_bytes(std::span(&bits, 1)));
}

void EventLogWriter::policies(std::string_view text) {
  append_frame(FrameKind::kPolicies, std::as_bytes(std::span(text)));
}

void EventLogWriter::append_frame(FrameKind kind, std::span<const std::byte> payload) {
  if (error_) return;
  if (payload.size() > kMaxFrameBytes) {
    error_ = Error{"record file: a frame of " + std::to_string(payload.size()) +
                   " bytes exceeds the limit; recording stopped"};
    return;
  }
  const FrameHeader raw{static_cast<std::uint32_t>(kind),
                        static_cast<std::uint32_t>(payload.size())};
  if (buffer_.size() + sizeof raw + payload.size() > kBufferBytes) flush();
  append(&raw, sizeof raw);
  append(payload.data(), payload.size());
}

void EventLogWriter::append(const void* bytes, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(bytes);
  buffer_.insert(buffer_.end(), first, first + size);
}

void EventLogWriter::flush() {
  std::size_t done = 0;
  while (!error_ && done < buffer_.size()) {
    const auto written = ::write(file_.get(), buffer_.data() + done, buffer_.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
      written_bytes_ += static_cast<std::uint64_t>(written);
    } else if (const int error = errno; error != EINTR) {
      error_ = Error{"record file: write failed after " + std::to_string(written_bytes_) +
                     " bytes: " + std::strerror(error) + "; recording stopped"};
    }
  }
  buffer_.clear();
}

EventLogReader::EventLogReader(UniqueFd file)
    : file_(std::move(file)), buffer_(kMaxFrameBytes + sizeof(FrameHeader)) {}

Result<EventLogReader> EventLogReader::open(UniqueFd file) {
  if (!file.valid()) return fail("record file: not open");
  EventLogReader reader(std::move(file));
  const auto available = reader.read_up_to(sizeof(FileHeader));
  if (!available) return std::unexpected(available.error());
  const auto raw =
      *available < sizeof(FileHeader) ? FileHeader{} : load<FileHeader>(reader.buffer_.data());
  if (raw.magic != kMagic) return fail("record file: not written by exemplar-agent run --record");
  if (raw.version != kVersion || raw.size_bytes != sizeof raw)
    return fail("record file: version " + std::to_string(raw.version) +
                " cannot be read; this agent reads version " + std::to_string(kVersion));
  reader.header_ = {raw.seed, {raw.clock_offset_ns}};
  reader.consume(sizeof raw);
  return reader;
}

Result<std::optional<Frame>> EventLogReader::next() {
  const auto at_offset = [this](const std::string& what) {
    return fail("record file: " + what + " at offset " + std::to_string(offset_bytes_));
  };
  const auto available = read_up_to(sizeof(FrameHeader));
  if (!available) return std::unexpected(available.error());
  if (*available < sizeof(FrameHeader)) {
    truncated_ = *available > 0;
    return std::nullopt;
  }
  const auto raw = load<FrameHeader>(buffer_.data() + begin_);
  if (raw.kind < static_cast<std::uint32_t>(FrameKind::kRingRecord) ||
      raw.kind > static_cast<std::uint32_t>(FrameKind::kPressure))
    return at_offset("unknown frame kind " + std::to_string(raw.kind));
  const auto kind = static_cast<FrameKind>(raw.kind);
  const auto expected = fixed_length(kind);
  if (raw.length_bytes > kMaxFrameBytes || (expected && raw.length_bytes != *expected))
    return at_offset("frame length " + std::to_string(raw.length_bytes));

  const auto frame_bytes = sizeof raw + raw.length_bytes;
  const auto whole = read_up_to(frame_bytes);
  if (!whole) return std::unexpected(whole.error());
  if (*whole < frame_bytes) {
    truncated_ = true;
    return std::nullopt;
  }
  const Frame frame{kind, offset_bytes_,
                    std::span(buffer_).subspan(begin_ + sizeof raw, raw.length_bytes)};
  consume(frame_bytes);
  return frame;
}

Result<std::size_t> EventLogReader::read_up_to(std::size_t size) {
  if (end_ - begin_ < size && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < size) {
    const auto got = ::read(file_.get(), buffer_.data() + end_, buffer_.size() - end_);
    if (got == 0) break;
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
    } else if (const int error = errno; error != EINTR) {
      return fail_errno("record file: read at offset " + std::to_string(offset_bytes_), error);
    }
  }
  return end_ - begin_;
}

void EventLogReader::consume(std::size_t size) {
  begin_ += size;
  offset_bytes_ += size;
}

}  // namespace exa
