#include "agent/naming/kubernetes/pod_reader.h"

#include <gmock/gmock.h>

#include "tests/unit/kubernetes/recorded.h"

namespace exa {
namespace {

TEST(PodReader, ReadsTheRecordedList) {
  const auto page = read_pod_page(recorded("pods-node-a.json"));
  ASSERT_TRUE(page) << page.error().text;
  EXPECT_EQ(page->resource_version, "257");
  EXPECT_EQ(page->continue_token, "");
  const auto* const pod = pod_named(page->pods, "checkout-5d4675f884-v84lz");
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->uid, kAppUid);
  EXPECT_EQ(pod->namespace_name, "shop");
  EXPECT_EQ(pod->node_name, "node-a");
  EXPECT_EQ(pod->owner_kind, "ReplicaSet");
  EXPECT_EQ(pod->owner_name, "checkout-5d4675f884");
  EXPECT_EQ(pod->created_unix_s, 1795180203);
  const auto app = std::ranges::find(pod->containers, "app", &PodContainer::name);
  ASSERT_NE(app, pod->containers.end());
  EXPECT_THAT(app->ids, testing::ElementsAre(kAppId));
  EXPECT_EQ(app->image, "registry.example/shop/checkout:2.4.1");
  EXPECT_EQ(pod->labels.size(), 3u) << "part-of and the selector's label are not needed";
}

TEST(PodReader, ReadsPages) {
  const auto first = read_pod_page(recorded("pods-node-a-page1.json"));
  const auto second = read_pod_page(recorded("pods-node-a-page2.json"));
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->continue_token, "");
  EXPECT_EQ(second->continue_token, "");
  EXPECT_EQ(first->pods.size() + second->pods.size(),
            read_pod_page(recorded("pods-node-a.json"))->pods.size());
}

TEST(PodReader, ReadsEveryRecordedChange) {
  const auto lines = recorded_lines("watch-node-a.jsonl");
  ASSERT_EQ(lines.size(), 16u);
  int deleted = 0;
  int bookmarks = 0;
  for (const auto& line : lines) {
    const auto event = read_watch_event(line);
    ASSERT_TRUE(event) << event.error().text;
    EXPECT_NE(event->resource_version, "");
    deleted += event->kind == WatchEvent::Kind::kDeleted ? 1 : 0;
    bookmarks += event->kind == WatchEvent::Kind::kBookmark ? 1 : 0;
  }
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(bookmarks, 3);
}

TEST(PodReader, ReadsStatuses) {
  const auto expired = read_watch_event(recorded("watch-too-old-410.jsonl"));
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->kind, WatchEvent::Kind::kError);
  EXPECT_EQ(expired->status.code, 410);
  EXPECT_EQ(read_status(recorded("error-401.json")).code, 401);
  EXPECT_THAT(read_status(recorded("error-403.json")).message, testing::HasSubstr("forbidden"));
  EXPECT_EQ(read_status(recorded("error-rv-too-large.json")).retry_after_s, 1u);
  EXPECT_EQ(read_status("<html>").code, 0);
}

TEST(PodReader, KeepsAnnotationsOfTheConventionOnly) {
  const auto page = read_pod_page(recorded("pods-node-a.json"));
  const auto* const ledger = pod_named(page->pods, "ledger-0");
  ASSERT_NE(ledger, nullptr);
  EXPECT_THAT(ledger->annotations,
              testing::UnorderedElementsAre(
                  std::pair<std::string, std::string>("service.name", "ledger-service"),
                  std::pair<std::string, std::string>("service.namespace", "money"),
                  std::pair<std::string, std::string>("deployment.environment.name", "staging")));
}

TEST(PodReader, RefusesEveryTruncation) {
  const auto line = recorded_lines("watch-node-a.jsonl").front();
  for (std::size_t length = 0; length < line.size(); ++length)
    EXPECT_FALSE(read_watch_event(std::string_view(line).substr(0, length))) << length;
}

TEST(PodReader, RefusesWhatNestsWithoutEnd) {
  EXPECT_FALSE(read_pod_page(std::string(1u << 20, '[')));
  std::string objects;
  for (int i = 0; i < 100000; ++i)
    objects += R"({"object":)";
  EXPECT_FALSE(read_watch_event(objects));
}

TEST(PodReader, BoundsWhatOnePodMayHold) {
  std::string containers;
  std::string annotations;
  for (int i = 0; i < 1000; ++i) {
    const auto number = std::to_string(i);
    const std::string comma = i ? "," : "";
    containers.append(comma).append(R"({"name":"c)").append(number).append(R"("})");
    annotations.append(comma).append("\"resource.opentelemetry.io/a").append(number);
    annotations.append("\":\"").append(std::string(2000, 'v')).append("\"");
  }
  const auto event =
      read_watch_event(R"({"type":"ADDED","object":{"metadata":{"uid":"u","annotations":{)" +
                       annotations + R"(}},"spec":{"containers":[)" + containers + "]}}}");
  ASSERT_TRUE(event) << event.error().text;
  EXPECT_EQ(event->pod.containers.size(), kMaxContainersPerPod);
  EXPECT_EQ(event->pod.annotations.size(), kMaxAnnotationsPerPod);
  EXPECT_EQ(event->pod.annotations.front().second.size(), kMaxPodTextBytes);
}

TEST(PodReader, ObjectsWhereListsBelongAreNothing) {
  const auto event = read_watch_event(
      R"({"type":"ADDED","object":{"metadata":{"uid":"u","labels":["app.kubernetes.io/name"]},
          "spec":{"containers":{"name":"x"}},"status":{"containerStatuses":{"name":"y"}}}})");
  ASSERT_TRUE(event);
  EXPECT_TRUE(event->pod.containers.empty());
  EXPECT_TRUE(event->pod.labels.empty());
}

}  // namespace
}  // namespace exa
