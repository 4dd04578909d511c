// Real pipes and a real terminal whose reader stops.
#include "exporters/console/buffered_output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exa/base/unique_fd.h"
#include "exporters/console/json_exporter.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = LineOutput::Clock;
using testing::ElementsAre;
using testing::HasSubstr;
namespace s = samples;

struct Ends {
  UniqueFd ours;
  UniqueFd theirs;
};

// Holds 4096 bytes.
Ends small_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(::fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Ends terminal() {
  int ours = -1;
  int theirs = -1;
  EXPECT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, nullptr), 0);
  termios settings{};
  ::tcgetattr(theirs, &settings);
  ::cfmakeraw(&settings);
  ::tcsetattr(theirs, TCSANOW, &settings);
  return {UniqueFd(ours), UniqueFd(theirs)};
}

// Up to so many bytes, or fewer if none come for ten seconds.
std::string read_bytes(const UniqueFd& fd, std::size_t size) {
  std::string all;
  char bytes[4096];
  while (all.size() < size) {
    pollfd ready{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 10'000) <= 0) break;
    const auto got = ::read(fd.get(), bytes, std::min(sizeof(bytes), size - all.size()));
    if (got <= 0) break;
    all.append(bytes, static_cast<std::size_t>(got));
  }
  return all;
}

std::string line_of(char letter, std::size_t size) {
  return std::string(size - 1, letter) + '\n';
}

struct Said {
  LogSink sink() {
    return [this](LogLevel level, std::string_view text) {
      const std::lock_guard lock(mutex);
      lines.push_back((level == LogLevel::kWarning ? "warning: " : "info: ") + std::string(text));
    };
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST(BufferedOutput, NobodyWaitsForAReaderThatStopped) {
  const auto pipe = small_pipe();
  ExportCounters counters;
  Said said;
  BufferedOutput output(pipe.theirs.get(), counters, said.sink());
  const auto begin = Clock::now();
  std::string accepted;
  std::size_t lost = 0;
  for (int i = 0; i < 12; ++i) {  // of 1 MiB each; a place for nine of them, the pipe's share apart
    const auto text = line_of(static_cast<char>('a' + i), std::size_t{1} << 20);
    if (output.write(text) == Printed::kLost)
      ++lost;
    else
      accepted += text;
  }
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_GE(lost, 3u);
  EXPECT_EQ(counters.get(ExportCounter::kOutputLost), lost);
  EXPECT_THAT(said.lines, ElementsAre(HasSubstr("warning: standard output is not being read")));
  EXPECT_EQ(output.error(), 0) << "the agent goes on";
  // When somebody reads on, all that was accepted comes, whole.
  EXPECT_EQ(read_bytes(pipe.ours, accepted.size()), accepted);
  EXPECT_NE(output.write("next\n"), Printed::kLost);
  EXPECT_EQ(read_bytes(pipe.ours, 5), "next\n");
  EXPECT_THAT(said.lines,
              ElementsAre(testing::_, HasSubstr("info: standard output is being read again; "
                                                "prints lost meanwhile: " +
                                                std::to_string(lost))));
  output.shutdown(Clock::now() + 10s);
  EXPECT_EQ(output.error(), ETIMEDOUT) << "not all came out";
}

TEST(BufferedOutput, ASlowReaderGetsAllAndPrintsDoNotMix) {
  const auto pipe = small_pipe();
  ExportCounters counters;
  BufferedOutput output(pipe.theirs.get(), counters, {});
  const auto print = [&](char letter) {
    for (int i = 0; i < 100; ++i)
      EXPECT_NE(output.write(line_of(letter, 6000)), Printed::kLost);
  };
  std::string all;
  std::thread reader([&] { all = read_bytes(pipe.ours, 2 * 100 * 6000); });
  std::thread other([&] { print('o'); });
  print('t');
  other.join();
  output.shutdown(Clock::now() + 10s);
  reader.join();
  ASSERT_EQ(all.size(), 2u * 100 * 6000);
  for (std::size_t at = 0; at < all.size(); at += 6000)
    ASSERT_EQ(all.substr(at, 6000), line_of(all[at], 6000));
  EXPECT_EQ(output.error(), 0);
}

TEST(BufferedOutput, EndsSoonThoughNobodyReads) {
  const auto pipe = small_pipe();
  ExportCounters counters;
  BufferedOutput output(pipe.theirs.get(), counters, {});
  output.write(line_of('a', 100'000));
  const auto begin = Clock::now();
  output.shutdown(begin + 10s);
  EXPECT_LT(Clock::now() - begin, 1500ms);
  EXPECT_EQ(output.error(), ETIMEDOUT);
  EXPECT_EQ(counters.get(ExportCounter::kOutputLost), 1u);
  EXPECT_EQ(output.write("late\n"), Printed::kLost);
}

TEST(BufferedOutput, RemembersWhatWritingFailedWith) {
  ExportCounters counters;
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  BufferedOutput output(full.get(), counters, {});
  EXPECT_EQ(output.write("a\n", {}, Clock::now() + 10s), Printed::kLost);
  EXPECT_EQ(output.error(), ENOSPC);
}

TEST(BufferedOutput, AStoppedTerminalIsShownTheNewestTable) {
  const auto screen = terminal();
  ASSERT_EQ(::tcflow(screen.theirs.get(), TCOOFF), 0);  // Ctrl-S
  ExportCounters counters;
  BufferedOutput output(screen.theirs.get(), counters, {});
  // The first may have been begun.
  for (const char* const frame : {"[one]", "[two]", "[three]", "[newest]"})
    output.draw(frame);
  EXPECT_GE(counters.get(ExportCounter::kOutputSuperseded), 2u);
  EXPECT_EQ(counters.get(ExportCounter::kOutputLost), 0u);
  ASSERT_EQ(::tcflow(screen.theirs.get(), TCOON), 0);  // Ctrl-Q
  output.shutdown(Clock::now() + 10s);
  EXPECT_EQ(output.error(), 0);
  const auto frames = 4 - counters.get(ExportCounter::kOutputSuperseded);
  EXPECT_EQ(read_bytes(screen.ours, frames == 1 ? 8 : 13),
            frames == 1 ? "[newest]" : "[one][newest]");
}

TEST(BufferedOutput, ATerminalStoppedAmidAWriteHoldsNobodyUp) {
  auto screen = terminal();
  ExportCounters counters;
  BufferedOutput output(screen.theirs.get(), counters, {});
  // More than a terminal takes: the write of the last chunk blocks.
  const auto begin = Clock::now();
  for (int i = 0; i < 100; ++i)
    output.write(line_of('a', 4001));
  output.shutdown(begin + 10s);
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_EQ(output.error(), ETIMEDOUT);
  (void)screen.theirs.release();  // the writer that was left behind is still in it
}

TEST(BufferedOutput, SpansThatNobodyReadAreNotDelivered) {
  const auto pipe = small_pipe();
  ExportCounters counters;
  const auto output = std::make_shared<BufferedOutput>(pipe.theirs.get(), counters, LogSink());
  JsonSpanExporter spans(output, &counters);
  EXPECT_EQ(spans.export_spans(s::spans(2), Clock::now() + 10s), SpanDelivery::kAcknowledged);
  EXPECT_EQ(counters.get(ExportCounter::kSpansSent), 2u);
  output->write(line_of('a', BufferedOutput::kBound - 100));
  EXPECT_EQ(spans.export_spans(s::spans(2), Clock::now() + 10s), SpanDelivery::kPending);
  EXPECT_EQ(spans.queued_spans(), 2u);
  EXPECT_EQ(spans.export_spans(s::spans(3), Clock::now() + 10s), SpanDelivery::kDropped);
  EXPECT_EQ(counters.get(ExportCounter::kSpansDroppedRefused), 3u);
  output->shutdown(Clock::now());
  EXPECT_EQ(spans.queued_spans(), 0u);
  EXPECT_EQ(counters.get(ExportCounter::kSpansQueued), 7u);
  EXPECT_EQ(counters.get(ExportCounter::kSpansSent), 2u);
  EXPECT_EQ(counters.get(ExportCounter::kSpansDroppedRefused), 5u);
}

}  // namespace
}  // namespace exa
