#include "agent/exemplars/flight_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace exa {
namespace {

Exchange of_trace(std::uint8_t trace) {
  Exchange exchange;
  exchange.trace_id.bytes[15] = trace;
  return exchange;
}

std::vector<RecordTicket> scanned(const FlightRecorder& recorder) {
  std::vector<RecordTicket> tickets;
  recorder.for_each_trace_hash(
      [&](RecordTicket ticket, std::uint32_t) { tickets.push_back(ticket); });
  return tickets;
}

TEST(FlightRecorder, KeepsTheLastRecordsWhole) {
  FlightRecorder recorder(4);
  std::vector<RecordTicket> tickets;
  for (std::uint8_t trace = 1; trace <= 6; ++trace)
    tickets.push_back(recorder.push(of_trace(trace)));

  EXPECT_FALSE(recorder.find(tickets[0]).has_value());
  EXPECT_FALSE(recorder.find(tickets[1]).has_value());
  ASSERT_TRUE(recorder.find(tickets[2]).has_value());
  EXPECT_EQ(recorder.find(tickets[2])->trace_id.bytes[15], 3);
  EXPECT_EQ(recorder.find(tickets[5])->trace_id.bytes[15], 6);
  EXPECT_THAT(scanned(recorder), ::testing::ElementsAre(2, 3, 4, 5));
}

TEST(FlightRecorder, KnowsNothingThatWasNotRecorded) {
  FlightRecorder recorder(4);
  EXPECT_FALSE(recorder.find(0).has_value());
  EXPECT_THAT(scanned(recorder), ::testing::IsEmpty());
}

TEST(FlightRecorder, ScansLeaveOutWhatIsExported) {
  FlightRecorder recorder(4);
  const auto first = recorder.push(of_trace(1));
  const auto second = recorder.push(of_trace(2));
  recorder.mark_exported(first);
  EXPECT_THAT(scanned(recorder), ::testing::ElementsAre(second));
  for (std::uint8_t i = 0; i < 4; ++i)
    recorder.push(of_trace(3));
  recorder.mark_exported(first);  // overwritten since: the new record is not touched
  EXPECT_EQ(scanned(recorder).size(), 4u);
}

}  // namespace
}  // namespace exa
