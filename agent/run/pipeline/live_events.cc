#include "agent/run/pipeline/live_events.h"

#include <algorithm>

#include "agent/run/pipeline/capture_loop.h"

namespace exa {
namespace {

constexpr int kTurnsOfDraining = 64;
// Of a core: beyond it little more traffic would be lost events.
constexpr double kPressingShare = 0.8;

}  // namespace

bool LiveEvents::turn(CaptureLoop& loop) {
  const auto records = read_ring(loop);
  const auto pause = pace_.next(records);
  if (records < kRecordsPerTurn) parts_.ring.wait(schedule_.until_tick(clocks_.now(), pause));
  switch (parts_.prober.hear(clocks_.now())) {
    case ProberTalk::Heard::kGoOn:
      break;
    case ProberTalk::Heard::kTargetsComplete:
      begin(loop);
      break;
    case ProberTalk::Heard::kEnd:
      deadline_ = std::min(*parts_.prober.deadline(), clocks_.now() + kLongestEnd);
      break;
    case ProberTalk::Heard::kLost:
      return false;
  }
  if (const auto policies = parts_.prober.take_policies()) loop.on_policies(*policies);
  if (parts_.looks && begun_) parts_.prober.say_look(loop.slow_threads(clocks_.now()));
  parts_.naming.advance(clocks_.now());
  if (const auto now = clocks_.now(); schedule_.is_due(now)) {
    drain(loop);
    tick(loop, now);
  }
  // Whoever printed has lost his reader: he would run on for nobody.
  if (parts_.outputs.failure() != 0) deadline_ = clocks_.now() + kEndWithoutReader;
  if (!deadline_) return true;
  end(loop);
  return false;
}

void LiveEvents::begin(CaptureLoop& loop) {
  begun_ = true;
  const auto now = clocks_.now();
  loop.on_tick(now);
  schedule_.plan(now, offset_);
  parts_.health.begin();
  parts_.prober.say_ready(parts_.outputs.listening_port());
}

std::size_t LiveEvents::read_ring(CaptureLoop& loop) {
  if (!begun_) return 0;  // targets first
  return parts_.ring.read(kRecordsPerTurn, loop);
}

// What was in the ring at the time of the call; a flood of new records does not keep us here.
void LiveEvents::drain(CaptureLoop& loop) {
  for (int turn = 0; turn < kTurnsOfDraining && read_ring(loop) == kRecordsPerTurn; ++turn) {
  }
}

void LiveEvents::tick(CaptureLoop& loop, MonotonicTime now) {
  fill_gauges(now);
  loop.on_pressure(pressure(now));
  loop.on_tick(now);
  parts_.prober.say_share_losses(parts_.pipeline);
  // The tick of the end is the last frame of a recording: by that a replay knows it.
  if (!deadline_) {
    offset_ = clocks_.offset();
    loop.on_clock_offset(offset_);
  }
  schedule_.plan(now, offset_);
  tell_failed_recording(now);
}

void LiveEvents::end(CaptureLoop& loop) {
  drain(loop);
  parts_.naming.release_all();
  if (!begun_) return;
  const auto now = clocks_.now();
  fill_gauges(now);
  loop.on_end(now);
  parts_.prober.say_share_losses(parts_.pipeline);
  tell_failed_recording(now);
}

void LiveEvents::fill_gauges(MonotonicTime now) {
  parts_.naming.fill(parts_.gauges, now);
  parts_.gauges.tls = parts_.prober.tls();
}

BudgetPressure LiveEvents::pressure(MonotonicTime now) {
  return {.backend = parts_.outputs.take_pressure(),
          .agent = busy_.since_last(now, clocks_.cpu()) > kPressingShare};
}

void LiveEvents::tell_failed_recording(MonotonicTime now) {
  if (const auto why = parts_.recording.flush()) parts_.occasional.warn("record", *why, now);
}

}  // namespace exa
