#include "agent/naming/kubernetes/pod_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace exa {
namespace {

using Turn = PodFollower::Turn;

// A server that has one more page for every page.
class EndlessList : public testing::Test {
 protected:
  PodFollower follower_of(PodSource source) {
    PodWatchOptions options;
    options.node_name = "node-a";
    options.source = source;
    return PodFollower(
        options,
        [this](const std::string& path, std::chrono::seconds, const ApiClient::Reader& reader,
               const ApiClient::Accepted&) {
          asked.push_back(path);
          reader(R"({"kind":"PodList","metadata":{"resourceVersion":"5","continue":"more"},)"
                 R"("items":[{"metadata":{"uid":"u","name":"n","namespace":"s"}}]})");
          ApiAnswer answer;
          answer.outcome = ApiAnswer::Outcome::kAnswered;
          answer.status = 200;
          return answer;
        },
        [this](PodUpdate update) {
          told.push_back(update.kind);
          return true;
        },
        counters, log);
  }
  Counters counters;
  Log log{LogThreshold::kOff, LogFormat::kText, "test"};
  std::vector<std::string> asked;
  std::vector<PodUpdate::Kind> told;
};

TEST_F(EndlessList, IsGivenUpAndPausedAfter) {
  auto follower = follower_of(PodSource::kApiServer);
  EXPECT_EQ(follower.turn(), Turn::kPause);
  EXPECT_EQ(asked.size(), kMaxPagesPerList);
  EXPECT_EQ(counters.get(Counter::kApiMalformed), 1u);
  EXPECT_EQ(follower.health().state, SourceState::kUnreadable);
  EXPECT_THAT(told, testing::Not(testing::Contains(PodUpdate::Kind::kListEnded)))
      << "pods that were not listed yet are not gone";
}

TEST_F(EndlessList, OfAKubeletIsOnePage) {
  auto follower = follower_of(PodSource::kKubelet);
  EXPECT_EQ(follower.turn(), Turn::kGoOn);
  EXPECT_THAT(asked, testing::ElementsAre("/pods"));
  using Kind = PodUpdate::Kind;
  EXPECT_THAT(told, testing::ElementsAre(Kind::kListBegan, Kind::kPod, Kind::kListEnded));
}

}  // namespace
}  // namespace exa
