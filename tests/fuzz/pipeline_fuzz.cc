// The whole pipeline as production and replay drive it: ring records, targets, clock offsets and
// ticks in any order, from a hostile kernel side or with a stranger's content in sound records;
// windows closed, merged where publication is behind, published to every encoder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agent/capture/target_message.h"
#include "agent/commands/explain/explanation_text.h"
#include "agent/explain/explainer.h"
#include "agent/explain/explanation_json.h"
#include "exporters/encoding/utf8.h"
#include "tests/fuzz/made_records.h"
#include "tests/fuzz/window_oracles.h"

namespace {

using namespace exa;
using namespace exa::fuzz;

constexpr int kMaxFrames = 200;
constexpr int kMaxWindows = 6;

// Small, so that every bound is met: one slab of requests, one of heads.
RequestPipelineOptions small_options() {
  RequestPipelineOptions options;
  options.id_seed = {1, 2, 3};
  options.tracker = {.connections = 8,
                     .incomplete_heads = 16,
                     .requests = {.unanswered_per_connection = 4, .unanswered = 64}};
  options.series = {.max_series_per_metric = 8,
                    .max_series_per_service = 4,
                    .max_overflow_series_per_metric = 3,
                    .expire_after_windows = 2};
  options.sampler = {.spans_per_window = 4,
                     .burst_spans = 8,
                     .floor_probability = 0.5,
                     .floor_capacity = 4,
                     .kept_records = 8};
  options.relatives = {.spans_per_window = 4, .burst_spans = 8};
  options.recorder_records = 32;
  options.max_held_exchanges = 4;
  options.max_targets = 6;
  options.active_requests = true;
  options.time_spent = true;
  return options;
}

enum Frame : std::uint8_t {
  kRecord,
  kTargetMessage,
  kClockOffset,
  kTick,
  kMerged,
  kChunk,
  kTarget,
  kProcess,
  kEnd,
  kAnswers,
  kSocket,
  kFrames,
};

class Course {
 public:
  Course() { pipeline_.on_clock_offset({1'700'000'000'000'000'000}); }

  void take(Frame frame, std::string_view payload) {
    const auto byte = [payload](std::size_t at) {
      return at < payload.size() ? static_cast<std::uint8_t>(payload[at]) : std::uint8_t{0};
    };
    const auto after = [payload](std::size_t at) {
      return payload.substr(std::min(at, payload.size()));
    };
    switch (frame) {
      case kRecord:
        send(std::as_bytes(std::span(payload)));
        break;
      case kTargetMessage:
        on_target(decode_target(std::as_bytes(std::span(payload))));
        break;
      case kClockOffset:
        pipeline_.on_clock_offset({number<std::int64_t>(payload)});
        break;
      case kTick:
        // Of a recording a time, else milliseconds from here.
        if (payload.size() < 8)
          made_.now_ns += 1'000'000 * number<std::uint64_t>(payload.substr(0, 3));
        close({payload.size() < 8 ? made_.now_ns : number<std::uint64_t>(payload)});
        break;
      case kMerged:
        merged_ = true;
        break;
      case kChunk:
        made_.now_ns += std::uint64_t{byte(2)} * byte(2) * 100'000;
        send(made_.chunk(byte(0), byte(1), after(3)));
        break;
      case kTarget:
        on_target(decode_target(encode_target(MadeRecords::target(byte(0), byte(1), after(2)))));
        break;
      case kProcess:
        send(made_.process(byte(0), byte(1), after(2)));
        break;
      case kEnd:
        send(made_.look(byte(0) % 4, byte(1)));
        send(made_.sleeps(byte(0) % 4, byte(1)));
        send(made_.last_call(byte(0), byte(1)));
        send((byte(1) & 0x80) != 0 ? made_.exit(byte(0)) : made_.end(byte(0), byte(1)));
        break;
      case kAnswers:
        for (auto* const backend : {&first_, &second_})
          backend->answers = byte(0);
        break;
      case kSocket:
        send(made_.socket(byte(0), after(1)));
        break;
      case kFrames:
        break;
    }
  }

  void finish() {
    pipeline_.release_held();
    close({});
    output_.is_last = true;
    publish();
    require(pipeline_.held_exchanges() == 0);
  }
  [[nodiscard]] int windows() const { return windows_; }

 private:
  template <typename Number>
  static Number number(std::string_view bytes) {
    Number value = 0;
    bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  void send(std::span<const std::byte> record) {
    // A copy of just that size, so that a read beyond the record is seen.
    pipeline_.on_record(std::vector<std::byte>(record.begin(), record.end()));
    ++sent_;
  }

  void on_target(const Result<Target>& target) {
    if (!target) return;
    // What was decoded is what a recording would hold.
    const auto again = decode_target(encode_target(*target));
    require(again && again->process == target->process &&
            again->service_name == target->service_name);
    pipeline_.on_target(*target);
  }

  void close(MonotonicTime tick) {
    ++windows_;
    auto window = pipeline_.close_window(tick);
    accounts_.check_closed(window, pipeline_, sent_);
    require(pipeline_.slow_threads(tick).size() <= SlowExchanges::kMost);
    if (merged_ && waiting_) {
      accounts_.joins(window);
      waiting_->absorb(std::move(window));
    } else {
      publish();
      accounts_.joins(window);
      waiting_ = std::move(window);
    }
    merged_ = false;
  }

  void publish() {
    if (!waiting_) return;
    const auto stored = publisher_.publish(*waiting_);
    explain(*waiting_, stored);
    accounts_.check_published({&first_, &second_}, *output_.newest);
    waiting_.reset();
  }

  void explain(const ClosedWindow& window, const std::vector<bool>& stored) {
    const auto told = explanation_json(explainer_.explain(window, stored));
    const auto text = explanation_text("{\"explanation\":" + told + "}", window.end);
    require(text && is_valid_utf8(*text));
    require(std::ranges::none_of(*text, [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
    }));
  }

  const RequestPipelineOptions options_ = small_options();
  Counters counters_;
  RequestPipeline pipeline_{options_, counters_};
  SpanBackend first_{0};
  SpanBackend second_{1};
  OutputCheck output_;
  WindowPublisher publisher_{{.exemplar_spans_per_batch = 2, .other_spans_per_batch = 3},
                             counters_,
                             {&first_, &second_},
                             {&output_}};
  Accounts accounts_{options_, counters_};
  Explainer explainer_;
  MadeRecords made_;
  std::optional<ClosedWindow> waiting_;
  std::uint64_t sent_ = 0;
  int windows_ = 0;
  bool merged_ = false;
};

}  // namespace

// Input: frames, each a kind, a length in two bytes and a payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto course = std::make_unique<Course>();
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < kMaxFrames && input.size() >= 3 && course->windows() < kMaxWindows; ++i) {
    const auto kind = static_cast<std::uint8_t>(input[0]);
    const std::size_t length =
        static_cast<std::uint8_t>(input[1]) | std::size_t{static_cast<std::uint8_t>(input[2])} << 8;
    const auto payload = input.substr(3, length);
    input.remove_prefix(3 + payload.size());
    course->take(static_cast<Frame>(kind % kFrames), payload);
  }
  course->finish();
  return 0;
}
