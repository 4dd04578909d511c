#include "exporters/openmetrics/exemplar_shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/openmetrics/writer.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using enum ExemplarReason;
namespace s = samples;

// One series with the bounds .1 .5 1, in windows of 10 s.
class Shelf : public testing::Test {
 protected:
  MetricBatch window(unsigned number, std::vector<Exemplar> exemplars) {
    auto batch =
        s::batch({s::duration_metric({s::histogram_point(s::get_200(), std::move(exemplars))})});
    batch.window_start.ns += number * 10 * s::kSecond;
    batch.window_end.ns += number * 10 * s::kSecond;
    return batch;
  }
  void close(unsigned number, std::vector<Exemplar> exemplars) {
    const auto losses = shelf_.add(window(number, std::move(exemplars)));
    replaced_ += losses.replaced;
    expired_ += losses.expired;
    series_full_ += losses.series_full;
    full_ += losses.full;
  }
  // What a scrape sees in each bucket, -1 for nothing.
  std::vector<double> scrape() {
    std::vector<double> values(4, -1);
    for (const auto& [series, buckets] : shelf_.show())
      for (const auto& [bucket, exemplar] : buckets)
        values.at(bucket) = exemplar.value;
    return values;
  }
  ExemplarShelf shelf_;
  std::size_t replaced_ = 0;
  std::size_t expired_ = 0;
  std::size_t series_full_ = 0;
  std::size_t full_ = 0;
};

TEST_F(Shelf, PutsEachExemplarIntoItsBucket) {
  close(0, {s::exemplar(0.1, 1), s::exemplar(0.11, 2), s::exemplar(1, 3), s::exemplar(1.01, 4)});
  EXPECT_EQ(scrape(), (std::vector<double>{0.1, 0.11, 1, 1.01}));
}

TEST_F(Shelf, PrefersTheOneThatSaysMost) {
  close(0, {s::exemplar(0.2, 1, 5, kBucket), s::exemplar(0.3, 2, 4, kSlowest),
            s::exemplar(0.4, 3, 3, kError), s::exemplar(0.45, 4, 6, kFloor)});
  EXPECT_EQ(scrape()[1], 0.4);
  EXPECT_EQ(replaced_, 3u);
}

TEST_F(Shelf, ShowsNoneWithoutIds) {
  Exemplar without = s::exemplar(0.2, 1);
  without.span_id = {};
  close(0, {without});
  EXPECT_EQ(scrape()[1], -1);
}

TEST_F(Shelf, ShowsOnlyRisingTimesABucket) {
  close(0, {s::exemplar(0.2, 1, 5 * s::kSecond)});
  EXPECT_EQ(scrape()[1], 0.2);
  close(0, {s::exemplar(0.3, 2, 5 * s::kSecond)});
  EXPECT_EQ(scrape()[1], 0.2) << "the same time";
  close(0, {s::exemplar(0.3, 2, 5 * s::kSecond + 900'000, kError)});
  EXPECT_EQ(scrape()[1], 0.2) << "the same millisecond, which is all Prometheus keeps";
  close(0, {s::exemplar(0.3, 2, 4 * s::kSecond)});
  EXPECT_EQ(scrape()[1], 0.2) << "older";
  close(0, {s::exemplar(0.3, 2, 6 * s::kSecond)});
  EXPECT_EQ(scrape()[1], 0.3);
}

TEST_F(Shelf, KeepsWhatWindowsBetweenScrapesChose) {
  close(0, {s::exemplar(0.05, 1, 5 * s::kSecond), s::exemplar(2, 2, 6 * s::kSecond, kSlowest)});
  close(1, {s::exemplar(0.06, 3, 15 * s::kSecond), s::exemplar(0.7, 4, 16 * s::kSecond)});
  close(2, {});
  EXPECT_EQ(scrape(), (std::vector<double>{0.06, -1, 0.7, 2}));
  EXPECT_EQ(replaced_, 1u) << "0.05 by the newer 0.06";
}

TEST_F(Shelf, KeepsTheSlowestOfTheWindowsBetweenScrapes) {
  close(0, {s::exemplar(3, 1, 5 * s::kSecond, kSlowest)});
  close(1, {s::exemplar(2, 2, 15 * s::kSecond, kSlowest)});
  EXPECT_EQ(scrape()[3], 3);
  close(2, {s::exemplar(1.5, 3, 25 * s::kSecond, kSlowest)});
  EXPECT_EQ(scrape()[3], 1.5) << "3 was shown: the newer one takes its place";
}

TEST_F(Shelf, ShowsTheSameToEveryScraperUntilItIsReplaced) {
  close(0, {s::exemplar(0.2, 1)});
  EXPECT_EQ(scrape()[1], 0.2);
  close(1, {});
  EXPECT_EQ(scrape()[1], 0.2);
}

TEST_F(Shelf, ForgetsAfterFiveMinutes) {
  close(0, {s::exemplar(0.2, 1, 10 * s::kSecond), s::exemplar(0.05, 2, 10 * s::kSecond)});
  close(30, {});
  EXPECT_EQ(scrape()[1], 0.2) << "five minutes to the second";
  EXPECT_EQ(shelf_.state().oldest_s, 300);
  close(31, {});
  EXPECT_EQ(scrape(), (std::vector<double>{-1, -1, -1, -1}));
  EXPECT_EQ(shelf_.state().stored, 0u);
  EXPECT_EQ(expired_, 0u) << "both were shown";
  close(32, {s::exemplar(0.2, 3, 325 * s::kSecond)});
  close(70, {});
  EXPECT_EQ(expired_, 1u);
}

TEST_F(Shelf, ForgetsAfterTheTimeThatIsAskedFor) {
  shelf_ = ExemplarShelf({.keep = std::chrono::seconds(20)});
  close(0, {s::exemplar(0.2, 1, 10 * s::kSecond)});
  close(2, {});
  EXPECT_EQ(scrape()[1], 0.2);
  close(3, {});
  EXPECT_EQ(scrape()[1], -1);
}

TEST_F(Shelf, KeepsTheNewestOfASeriesThatMayHaveFewer) {
  shelf_ = ExemplarShelf({.per_series = 2});
  close(0, {s::exemplar(0.05, 1, 3 * s::kSecond), s::exemplar(0.2, 2, 5 * s::kSecond)});
  close(1, {s::exemplar(2, 3, 13 * s::kSecond)});
  EXPECT_EQ(scrape(), (std::vector<double>{-1, 0.2, -1, 2}));
  EXPECT_EQ(series_full_, 1u) << "0.05 was never shown";
  close(2, {s::exemplar(0.7, 4, 23 * s::kSecond)});
  EXPECT_EQ(scrape(), (std::vector<double>{-1, -1, 0.7, 2}));
  EXPECT_EQ(series_full_, 1u) << "0.2 was";
}

TEST_F(Shelf, OrTheLargest) {
  shelf_ = ExemplarShelf({.per_series = 2, .eviction = Eviction::kSmallestValue});
  close(0, {s::exemplar(2, 1, 3 * s::kSecond), s::exemplar(0.2, 2, 5 * s::kSecond)});
  close(1, {s::exemplar(0.05, 3, 13 * s::kSecond)});
  EXPECT_EQ(scrape(), (std::vector<double>{-1, 0.2, -1, 2})) << "0.05 is the smallest itself";
  EXPECT_EQ(series_full_, 1u);
  close(2, {s::exemplar(0.7, 4, 23 * s::kSecond)});
  EXPECT_EQ(scrape(), (std::vector<double>{-1, -1, 0.7, 2}));
}

TEST_F(Shelf, ForgetsWhatAClockSetBackLeftInTheFuture) {
  close(100, {s::exemplar(0.2, 1, 1005 * s::kSecond)});
  close(0, {s::exemplar(0.3, 2, 5 * s::kSecond)});
  EXPECT_EQ(scrape()[1], 0.3);
}

TEST_F(Shelf, GivesUpTheOldestBeyondItsBound) {
  const auto series_of = [](std::size_t number) {
    return s::histogram_point({{"route", static_cast<std::int64_t>(number)}},
                              {s::exemplar(0.2, 1, (number % 2 == 0 ? 2 : 7) * s::kSecond)});
  };
  std::vector<HistogramPoint> points;
  constexpr std::size_t kTotal = 1000;
  shelf_ = ExemplarShelf({.total = kTotal});
  for (std::size_t i = 0; i < kTotal + 10; ++i)
    points.push_back(series_of(i));
  const auto losses = shelf_.add(s::batch({s::duration_metric(std::move(points))}));
  const auto shown = shelf_.show();
  EXPECT_LE(shown.size(), kTotal);
  EXPECT_EQ(losses.full + shown.size(), kTotal + 10);
  EXPECT_EQ(shelf_.state().stored, shown.size());
  EXPECT_EQ(shelf_.state().capacity, kTotal);
  for (const auto& [series, buckets] : shown)
    EXPECT_EQ(buckets.at(0).exemplar.time.ns, s::kEpoch + 7 * s::kSecond) << series;
}

TEST_F(Shelf, APageShowsThoseOfEarlierWindows) {
  close(0, {s::exemplar(0.25, 7)});
  const auto text = render_openmetrics(window(1, {}), shelf_.show()).text;
  EXPECT_THAT(text, HasSubstr(",le=\"0.5\"} 7 # {trace_id=\"" + to_hex(s::trace_id(7))));
}

TEST_F(Shelf, ABucketThatBeganAnewShowsNone) {
  close(0, {s::exemplar(0.25, 7)});
  auto later = window(1, {});
  std::get<Histogram>(later.resources[0].metrics[0].points).points[0].bucket_counts = {3, 0, 0, 0};
  EXPECT_THAT(render_openmetrics(later, shelf_.show()).text, Not(HasSubstr(" # {")));
}

}  // namespace
}  // namespace exa
