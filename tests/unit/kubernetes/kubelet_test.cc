#include <gmock/gmock.h>

#include "agent/naming/kubernetes/pod_watch.h"
#include "agent/naming/kubernetes/pod_watch_options.h"
#include "tests/unit/exporters/subprocess.h"
#include "tests/unit/kubernetes/recorded.h"
#include "tests/unit/kubernetes/watch_fixture.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Kind = PodUpdate::Kind;

class KubeletTest : public PodWatchTest {
 protected:
  PodWatchOptions kubelet(const FaultServer& server) const {
    auto asked = options(server);
    asked.source = PodSource::kKubelet;
    asked.kubelet_interval = 1ms;
    asked.kubelet_shortest_interval = 1ms;
    return asked;
  }
};

// As a kubelet of Kubernetes 1.36 told it: no version of the list, no kinds of the pods.
const std::string kKubeletList = recorded("kubelet-pods.json");

TEST_F(KubeletTest, IsAskedByIntervals) {
  FaultServer server([&](int) -> FaultyAnswer { return {.bytes = json(kKubeletList)}; });
  PodWatch watch(kubelet(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /pods HTTP/1.1"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Authorization: Bearer first\r\n"));
  EXPECT_EQ(count(Counter::kApiWatches), 0u);
  EXPECT_EQ(watch.health().state, SourceState::kFollowing);
}

TEST_F(KubeletTest, IsAskedSoonWhenANameIsWanted) {
  FaultServer server([&](int) -> FaultyAnswer { return {.bytes = json(kKubeletList)}; });
  auto asked = kubelet(server);
  asked.kubelet_interval = 1h;
  PodWatch watch(asked, updates_, counters_, log_);
  ASSERT_TRUE(wait_for_kind(Kind::kListEnded));
  watch.ask_soon();
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
}

TEST_F(KubeletTest, ItsRefusalsArePlainText) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) {
      write_token("second");
      return {.bytes = http_answer(401, "", "Unauthorized")};
    }
    if (request < 3)
      return {.bytes = http_answer(403, "", "Forbidden (user=agent, verb=get, resource=nodes)")};
    return {.bytes = json(kKubeletList)};
  });
  testing::internal::CaptureStderr();
  {
    const Log log(LogThreshold::kInfo, LogFormat::kText, "test");
    PodWatch watch(kubelet(server), updates_, counters_, log);
    EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  }
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(server.requests()[1], HasSubstr("Authorization: Bearer second\r\n"));
  EXPECT_EQ(count(Counter::kApiUnauthorized), 1u);
  EXPECT_EQ(count(Counter::kApiForbidden), 2u);
  EXPECT_EQ(lines_with(said, "was rejected: Unauthorized"), 1) << said;
  EXPECT_EQ(lines_with(said, "get on nodes/pods"), 1) << said;
  EXPECT_EQ(lines_with(said, "Forbidden (user=agent, verb=get, resource=nodes)"), 1) << said;
}

TEST_F(KubeletTest, WhatIsTooLargeCutOrNonsenseIsAskedForAgain) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true};
    if (request == 1)
      return {
          .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + kKubeletList.substr(0, 700),
          .then = FaultyAnswer::Then::kReset};
    if (request == 2) return {.bytes = json("ok")};
    return {.bytes = json(kKubeletList)};
  });
  PodWatch watch(kubelet(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiTooLarge), 1u);
  EXPECT_EQ(count(Counter::kApiUnreachable), 1u);
  EXPECT_EQ(count(Counter::kApiMalformed), 1u);
}

TEST_F(KubeletTest, PausesGrowWhileItRefuses) {
  FaultServer server([&](int) -> FaultyAnswer { return {.bytes = http_answer(500, "", "no")}; });
  auto asked = kubelet(server);
  asked.shortest_pause = 20ms;
  asked.longest_pause = 1h;
  const auto begin = std::chrono::steady_clock::now();
  PodWatch watch(asked, updates_, counters_, log_);
  ASSERT_TRUE(server.wait_for_requests(5));
  // Halves of 20, 40, 80 and 160 ms at least.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 150ms);
}

TEST(KubeletList, SaysWhatTheApiServerSays) {
  const auto page = read_pod_page(kKubeletList);
  ASSERT_TRUE(page) << page.error().text;
  ASSERT_EQ(page->pods.size(), 7);
  EXPECT_EQ(page->left_out, 0u);
  EXPECT_EQ(page->continue_token, "");
  const auto* const annotated = pod_named(page->pods, "annotated");
  ASSERT_NE(annotated, nullptr);
  EXPECT_EQ(annotated->uid, "f63a8f12-6af0-4d2d-9b28-cef1de00ea39");
  EXPECT_EQ(annotated->namespace_name, "shop");
  EXPECT_EQ(annotated->node_name, "node-a");
  EXPECT_EQ(annotated->annotations.size(), 4u);
  ASSERT_EQ(annotated->containers.size(), 1u);
  EXPECT_EQ(annotated->containers[0].name, "application");
  EXPECT_EQ(annotated->containers[0].image, "exemplar-agent-cluster-app:1");
  ASSERT_EQ(annotated->containers[0].ids.size(), 1u);
  const auto named =
      name_by_pod({}, target_of(7, "", ""), *pod_named(page->pods, "store-0"), nullptr, "instance");
  EXPECT_EQ(attribute(named, "k8s.statefulset.name"), "store");
}

TEST(KubeletList, HasStaticPodsUnderTheirPathsUid) {
  const auto page = read_pod_page(recorded("kubelet-static-pod.json"));
  ASSERT_TRUE(page) << page.error().text;
  EXPECT_EQ(page->left_out, 0u);
  Counters counters;
  PodDirectory directory(10, counters);
  for (const auto& pod : page->pods)
    directory.apply({.kind = Kind::kPod, .pod = pod}, {1});
  const auto match = directory.find("", "5d1e6c2f3a4b5c6d7e8f901234567890");
  ASSERT_NE(match.pod, nullptr);
  EXPECT_EQ(match.pod->name, "etcd-node-a");
}

class KubeletTlsTest : public KubeletTest {
 protected:
  // Signed by itself, as most kubelets' certificates are.
  void SetUp() override {
    const auto command = "cd " + folder_ +
                         " && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=node-a"
                         " -addext subjectAltName=IP:127.0.0.1 -keyout key -out crt 2>&1";
    const Subprocess made({"sh", "-c", command + " && echo made"});
    std::string line;
    do {
      line = const_cast<Subprocess&>(made).read_line();
    } while (!line.empty() && line != "made\n");
    ASSERT_EQ(line, "made\n") << "openssl is needed";
    std::ofstream(folder_ + "/pods") << kKubeletList;
  }
  // The port that openssl chose.
  static std::string port_of(Subprocess& server) {
    for (std::string line = server.read_line(); !line.empty(); line = server.read_line())
      if (line.starts_with("ACCEPT ")) return line.substr(line.rfind(':') + 1);
    return "";
  }
  PodWatchOptions over_tls(const std::string& port) const {
    return {.endpoint = {.url = "https://127.0.0.1:" + port.substr(0, port.find('\n')),
                         .token_file = folder_ + "/token",
                         .ca_file = "/etc/ssl/certs/ca-certificates.crt"},
            .node_name = "node-a",
            .source = PodSource::kKubelet,
            .shortest_pause = 1ms,
            .longest_pause = 20ms,
            .kubelet_interval = 1ms,
            .kubelet_shortest_interval = 1ms};
  }
};

TEST_F(KubeletTlsTest, AnUnknownCertificateIsTakenOnlyWhenAllowed) {
  Subprocess server(
      {"sh", "-c",
       "cd " + folder_ + " && exec openssl s_server -accept 127.0.0.1:0 -cert crt -key key -WWW"});
  const auto port = port_of(server);
  ASSERT_NE(port, "");
  {
    PodWatch watch(over_tls(port), updates_, counters_, log_);
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (count(Counter::kApiUnreachable) < 2 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(watch.health().state, SourceState::kUnreachable);
  }
  EXPECT_FALSE(wait_for_kind_now(Kind::kListEnded));
  {
    auto trusting = over_tls(port);
    trusting.endpoint.ca_file = folder_ + "/crt";
    PodWatch watch(trusting, updates_, counters_, log_);
    EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  }
  auto insecure = over_tls(port);
  insecure.endpoint.insecure = true;
  PodWatch watch(insecure, updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
}

// Clusters change their CA while pods run; the file that is mounted follows.
TEST_F(KubeletTlsTest, ACertificateAuthorityRotatedOnDiskIsPickedUp) {
  const auto trust = [&](const std::filesystem::path& ca) {
    std::filesystem::copy_file(ca, folder_ + "/ca.new");
    std::filesystem::rename(folder_ + "/ca.new", folder_ + "/ca");
  };
  const auto system = over_tls("0").endpoint.ca_file;
  Subprocess server(
      {"sh", "-c",
       "cd " + folder_ + " && exec openssl s_server -accept 127.0.0.1:0 -cert crt -key key -WWW"});
  const auto port = port_of(server);
  ASSERT_NE(port, "");
  auto rotating = over_tls(port);
  rotating.endpoint.ca_file = folder_ + "/ca";
  trust(system);
  PodWatch watch(rotating, updates_, counters_, log_);
  const auto state_within_10s = [&](SourceState state) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    // What it tells is taken, or it would wait for its reader.
    while (watch.health().state != state && std::chrono::steady_clock::now() < deadline)
      wait_for_kind_now(Kind::kListEnded);
    return watch.health().state == state;
  };
  EXPECT_TRUE(state_within_10s(SourceState::kUnreachable));
  trust(folder_ + "/crt");
  EXPECT_TRUE(state_within_10s(SourceState::kFollowing));
  trust(system);
  EXPECT_TRUE(state_within_10s(SourceState::kUnreachable));
}

const char* in_pod(const char* name) {
  const std::string_view asked(name);
  if (asked == "KUBERNETES_SERVICE_HOST") return "fd00::1";
  if (asked == "KUBERNETES_SERVICE_PORT") return "6443";
  if (asked == "NODE_IP") return "fd00::2";
  return asked == "NODE_NAME" ? "node-a" : nullptr;
}

TEST(PodWatchOptions, AreThoseOfThePod) {
  const auto found = pod_watch_options({}, in_pod, "/account");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->endpoint.url, "https://[fd00::1]:6443");
  EXPECT_EQ(found->endpoint.token_file, "/account/token");
  EXPECT_EQ(found->endpoint.ca_file, "/account/ca.crt");
  EXPECT_FALSE(found->endpoint.insecure);
  EXPECT_FALSE(pod_watch_options({}, [](const char*) -> const char* { return nullptr; }));
}

TEST(PodWatchOptions, LeadToTheKubelet) {
  const auto found = pod_watch_options({.source = PodSource::kKubelet}, in_pod, "/account");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->endpoint.url, "https://[fd00::2]:10250");
  EXPECT_EQ(found->endpoint.ca_file, "/account/ca.crt");
  EXPECT_FALSE(found->endpoint.insecure);
  const auto chosen = pod_watch_options(
      {.source = PodSource::kKubelet,
       .kubelet = {.url = "https://node-a:10250/", .ca = "/etc/kubelet.crt", .insecure = true}},
      in_pod, "/account");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->endpoint.url, "https://node-a:10250");
  EXPECT_EQ(chosen->endpoint.ca_file, "/etc/kubelet.crt");
  EXPECT_TRUE(chosen->endpoint.insecure);
  const auto homeless =
      pod_watch_options({.source = PodSource::kKubelet}, [](const char* name) -> const char* {
        return std::string_view(name) == "NODE_NAME" ? "node-a" : nullptr;
      });
  ASSERT_FALSE(homeless);
  EXPECT_THAT(homeless.error().text, HasSubstr("NODE_IP"));
}

}  // namespace
}  // namespace exa
