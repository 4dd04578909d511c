#include "agent/capture/event_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace exa {
namespace {

// A file without a name; the log takes a duplicate, so that the test can look at it again.
class File {
 public:
  File() : fd_(::memfd_create("event_log", MFD_CLOEXEC)) {}
  [[nodiscard]] UniqueFd duplicate() const { return UniqueFd(::dup(fd_.get())); }
  [[nodiscard]] UniqueFd from_start() const {
    ::lseek(fd_.get(), 0, SEEK_SET);
    return duplicate();
  }
  void put(std::string_view bytes) const {
    EXPECT_EQ(::write(fd_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] off_t size() const { return ::lseek(fd_.get(), 0, SEEK_END); }
  void cut(off_t size) const { EXPECT_EQ(::ftruncate(fd_.get(), size), 0); }

 private:
  UniqueFd fd_;
};

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(const Frame& frame) {
  return {reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size()};
}

EventLogHeader header_with_seed(std::uint8_t seed) {
  EventLogHeader header;
  header.seed.fill(std::byte{seed});
  header.start_offset = {-1'234};
  return header;
}

constexpr off_t kHeaderBytes = 40;

TEST(EventLog, ReadsBackWhatWasWritten) {
  const File file;
  {
    auto writer = EventLogWriter::create(file.duplicate(), header_with_seed(7));
    ASSERT_TRUE(writer);
    writer->target_message(bytes("target"));
    writer->ring_record(bytes("record one"));
    writer->clock_offset({99});
    writer->ring_record(bytes(""));
    writer->window_tick({10'000});
    writer->window_merged();
    writer->pressure(3);
    EXPECT_FALSE(writer->stopped());
  }
  auto reader = EventLogReader::open(file.from_start());
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->header().seed, header_with_seed(7).seed);
  EXPECT_EQ(reader->header().start_offset.ns, -1'234);

  const auto target = reader->next();
  ASSERT_TRUE(target && *target);
  EXPECT_EQ((*target)->kind, FrameKind::kTargetMessage);
  EXPECT_EQ((*target)->offset_bytes, static_cast<std::uint64_t>(kHeaderBytes));
  EXPECT_EQ(text_of(**target), "target");
  EXPECT_FALSE((*target)->window_tick());
  const auto record = reader->next();
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->kind, FrameKind::kRingRecord);
  EXPECT_EQ(text_of(**record), "record one");
  const auto offset = reader->next();
  ASSERT_TRUE(offset && *offset);
  EXPECT_EQ((*offset)->clock_offset()->ns, 99);
  const auto empty = reader->next();
  ASSERT_TRUE(empty && *empty);
  EXPECT_EQ(text_of(**empty), "");
  const auto tick = reader->next();
  ASSERT_TRUE(tick && *tick);
  EXPECT_EQ((*tick)->window_tick()->ns, 10'000u);
  const auto merged = reader->next();
  ASSERT_TRUE(merged && *merged);
  EXPECT_EQ((*merged)->kind, FrameKind::kWindowMerged);
  const auto pressure = reader->next();
  ASSERT_TRUE(pressure && *pressure);
  EXPECT_EQ((*pressure)->pressure(), 3);
  const auto end = reader->next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_FALSE(reader->truncated());
}

TEST(EventLog, HoldsMoreThanItsBuffer) {
  const File file;
  const std::string large(kMaxFrameBytes, 'L');
  {
    auto writer = EventLogWriter::create(file.duplicate(), {});
    ASSERT_TRUE(writer);
    for (int i = 0; i < 5'000; ++i)
      writer->ring_record(bytes("record " + std::to_string(i)));
    writer->ring_record(bytes(large));
  }
  auto reader = EventLogReader::open(file.from_start());
  ASSERT_TRUE(reader);
  for (int i = 0; i < 5'000; ++i) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame && *frame);
    ASSERT_EQ(text_of(**frame), "record " + std::to_string(i));
  }
  const auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ(text_of(**frame), large);
}

TEST(EventLog, ATruncatedTailIsToldAndTheRestIsRead) {
  const File file;
  {
    auto writer = EventLogWriter::create(file.duplicate(), {});
    ASSERT_TRUE(writer);
    writer->ring_record(bytes("whole"));
    writer->ring_record(bytes("cut"));
  }
  const auto size = file.size();
  for (off_t cut = 1; cut < 11; ++cut) {
    file.cut(size - cut);
    auto reader = EventLogReader::open(file.from_start());
    ASSERT_TRUE(reader);
    const auto whole = reader->next();
    ASSERT_TRUE(whole && *whole);
    const auto tail = reader->next();
    ASSERT_TRUE(tail);
    EXPECT_FALSE(*tail);
    EXPECT_TRUE(reader->truncated()) << cut;
    EXPECT_EQ(reader->offset_bytes(), static_cast<std::uint64_t>(kHeaderBytes + 13));
  }
}

TEST(EventLog, RefusesWhatIsNoLog) {
  const File other;
  other.put("#!/bin/sh\necho this is long enough to be a header\n");
  EXPECT_FALSE(EventLogReader::open(other.from_start()));
  const File empty;
  EXPECT_FALSE(EventLogReader::open(empty.from_start()));
  EXPECT_FALSE(EventLogReader::open(UniqueFd()));
}

TEST(EventLog, RefusesBrokenFramesAndSaysWhere) {
  const auto error_after = [](std::string_view frame) {
    const File file;
    EXPECT_TRUE(EventLogWriter::create(file.duplicate(), {}));
    file.put(frame);
    auto reader = EventLogReader::open(file.from_start());
    EXPECT_TRUE(reader);
    const auto result = reader->next();
    EXPECT_FALSE(result);
    return result ? std::string() : result.error().text;
  };
  using namespace std::literals;
  EXPECT_EQ(error_after("\x09\0\0\0\0\0\0\0"sv), "record file: unknown frame kind 9 at offset 40");
  EXPECT_EQ(error_after("\0\0\0\0\0\0\0\0"sv), "record file: unknown frame kind 0 at offset 40");
  EXPECT_EQ(error_after("\x01\0\0\0\x01\0\x01\0"sv),
            "record file: frame length 65537 at offset 40");
  EXPECT_EQ(error_after("\x04\0\0\0\x07\0\0\0"sv), "record file: frame length 7 at offset 40");
}

TEST(EventLog, AFullDiskStopsTheRecordingOnce) {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  const auto refused = EventLogWriter::create(std::move(full), {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("No space left"), std::string::npos);

  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reading(pipe_ends[0]);
  auto writer = EventLogWriter::create(UniqueFd(pipe_ends[1]), {});
  ASSERT_TRUE(writer);
  for (int i = 0; i < 100 && !writer->stopped(); ++i)
    writer->ring_record(bytes(std::string(10'000, 'x')));
  ASSERT_TRUE(writer->stopped());
  const auto first = writer->error()->text;
  writer->ring_record(bytes("more"));
  writer->flush();
  EXPECT_EQ(writer->error()->text, first);
  EXPECT_NE(first.find("recording stopped"), std::string::npos);
}

}  // namespace
}  // namespace exa
