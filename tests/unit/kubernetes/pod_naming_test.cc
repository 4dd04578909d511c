#include "agent/naming/kubernetes/pod_naming.h"

#include <gmock/gmock.h>

#include "agent/naming/kubernetes/pod_reader.h"
#include "tests/unit/kubernetes/recorded.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

class PodNamingTest : public testing::Test {
 protected:
  void tell(PodUpdate update) { ASSERT_TRUE(updates_.push(std::move(update))); }
  void tell_recorded_list() {
    tell({.kind = PodUpdate::Kind::kListBegan, .pod = {}});
    const auto page = read_pod_page(recorded("pods-node-a.json"));
    ASSERT_TRUE(page);
    for (const auto& pod : page->pods)
      tell({.kind = PodUpdate::Kind::kPod, .pod = pod});
    tell({.kind = PodUpdate::Kind::kListEnded, .pod = {}});
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return counters_.get(counter); }

  MonotonicTime now_{1'000'000'000};
  Counters counters_;
  PodUpdates updates_{1024};
  std::vector<Target> told_;
  PodNaming naming_{{.max_waiting = 2}, updates_, counters_, [this](const Target& target) {
                      told_.push_back(target);
                    }};
};

TEST_F(PodNamingTest, ATargetOutsideContainersGoesOnAtOnce) {
  naming_.on_target(target_of(1, "", ""), now_);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].service_name, "node");
}

TEST_F(PodNamingTest, ATargetOfAKnownPodIsNamedAtOnce) {
  tell_recorded_list();
  naming_.advance(now_);
  naming_.on_target(target_of(1, kAppId, kAppUid), now_);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].service_name, "checkout");
  EXPECT_EQ(attribute(told_[0], "service.instance.id"), "shop.checkout-5d4675f884-v84lz.app");
}

TEST_F(PodNamingTest, WaitsUntilItsPodIsKnown) {
  naming_.on_target(target_of(1, kAppId, kAppUid), now_);
  EXPECT_TRUE(told_.empty());
  tell_recorded_list();
  naming_.advance(now_ + 1s);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].service_name, "checkout");
  EXPECT_EQ(count(Counter::kPodTargetsNamed), 1u);
  EXPECT_EQ(naming_.waiting(), 0u);
}

TEST_F(PodNamingTest, GoesOnUnnamedAfterTheWaitAndNamedLater) {
  naming_.on_target(target_of(1, kAppId, kAppUid), now_);
  naming_.advance(now_ + 3s);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].service_name, "node");
  EXPECT_EQ(count(Counter::kPodTargetsUnnamed), 1u);
  tell_recorded_list();
  naming_.advance(now_ + 5s);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1].service_name, "checkout");
  EXPECT_EQ(count(Counter::kPodTargetsLate), 1u);
}

TEST_F(PodNamingTest, AStaticPodIsFoundByItsContainer) {
  tell_recorded_list();
  naming_.advance(now_);
  naming_.on_target(target_of(1, kAppId, std::string(32, 'a')), now_);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(attribute(told_[0], "k8s.pod.uid"), kAppUid);
}

TEST_F(PodNamingTest, ThePathsPodDecidesNotTheContainerId) {
  tell_recorded_list();
  naming_.advance(now_);
  // The container of another pod, under an unknown pod's uid.
  naming_.on_target(target_of(1, kAppId, "00000000-0000-0000-0000-000000000001"), now_);
  naming_.advance(now_ + 3s);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].service_name, "node");
}

TEST_F(PodNamingTest, TwoProcessesOfAContainerAreTwoInstances) {
  tell_recorded_list();
  naming_.advance(now_);
  naming_.on_target(target_of(1, kAppId, kAppUid), now_);
  naming_.on_target(target_of(2, kAppId, kAppUid), now_);
  naming_.on_target(target_of(1, kAppId, kAppUid), now_);
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_EQ(attribute(told_[1], "service.instance.id"), "shop.checkout-5d4675f884-v84lz.app.2");
  EXPECT_EQ(attribute(told_[2], "service.instance.id"), "shop.checkout-5d4675f884-v84lz.app");
}

TEST_F(PodNamingTest, ADeletedPodIsFoundForAWhile) {
  tell_recorded_list();
  naming_.advance(now_);
  const auto size = naming_.directory().size();
  tell({.kind = PodUpdate::Kind::kListBegan, .pod = {}});
  tell({.kind = PodUpdate::Kind::kListEnded, .pod = {}});
  naming_.advance(now_ + 20s);
  EXPECT_EQ(naming_.directory().size(), size);
  naming_.advance(now_ + 30s + PodDirectory::kKeepDeleted);
  EXPECT_EQ(naming_.directory().size(), 0u);
}

TEST_F(PodNamingTest, TooManyWaitersLetTheOldestGo) {
  for (std::uint32_t tgid = 1; tgid <= 3; ++tgid)
    naming_.on_target(target_of(tgid, kAppId, kAppUid), now_);
  EXPECT_EQ(naming_.waiting(), 2u);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].process.tgid, 1u);
  EXPECT_EQ(count(Counter::kPodTargetsOverflow), 1u);
  naming_.release_all();
  EXPECT_EQ(told_.size(), 3u);
}

TEST(PodDirectory, IsBounded) {
  Counters counters;
  PodDirectory directory(10, counters);
  for (int i = 0; i < 100; ++i)
    directory.apply({.kind = PodUpdate::Kind::kPod, .pod = {.uid = std::to_string(i), .name = "p"}},
                    {1});
  EXPECT_EQ(directory.size(), 10u);
  EXPECT_EQ(counters.get(Counter::kPodsOverflow), 90u);
}

}  // namespace
}  // namespace exa
