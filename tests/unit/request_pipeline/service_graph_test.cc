// Which end belongs to which, over windows and networks, and what becomes of those without another.
#include "agent/request_pipeline/service_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "synthetic_exchanges.h"

namespace exa {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t kWindow = 10'000'000'000;
constexpr IpEndpoint kClient{.address = {10, 0, 0, 1}, .port = 40'000};
constexpr IpEndpoint kServer{.address = {10, 0, 0, 2}, .port = 80};
constexpr IpEndpoint kVirtual{.address = {10, 96, 0, 1}, .port = 80};
constexpr IpEndpoint kLoopbackClient{.address = {127, 0, 0, 1}, .port = 40'000};
constexpr IpEndpoint kLoopbackServer{.address = {127, 0, 0, 1}, .port = 80};

class Graph : public ::testing::Test {
 protected:
  void add(Role role, const std::string& service, IpEndpoint local, IpEndpoint remote,
           SocketId socket, unsigned requests = 1, const char* host = "") {
    GraphEnd end;
    end.socket = socket;
    end.local = local;
    end.remote = remote;
    end.role = role;
    end.target = ++targets_;
    end.host.assign(host);
    for (unsigned i = 0; i < requests; ++i)
      end.durations.add(0, 1'000'000);
    window_.graph_ends.push_back(end);
    window_.targets[end.target] =
        std::make_shared<const Target>(testing::target_of(end.target, service));
  }
  void client(const std::string& service, IpEndpoint local = kClient, IpEndpoint remote = kServer,
              SocketId socket = 1) {
    add(Role::kClient, service, local, remote, socket, 1, "elsewhere");
  }
  void server(const std::string& service, IpEndpoint local = kServer, IpEndpoint remote = kClient,
              SocketId socket = 2) {
    add(Role::kServer, service, local, remote, socket);
  }
  void close(bool last = false) {
    window_.start = {now_};
    window_.end = {now_ += kWindow};
    window_.last = last;
    graph_.add(window_);
    metrics_ = graph_.points(window_);
    window_ = {};
  }
  [[nodiscard]] std::vector<std::string> values_of(const std::string& name) const {
    std::vector<std::string> texts;
    for (const auto& metric : metrics_) {
      if (metric.name != name) continue;
      const auto tell = [&](const auto& point, const std::string& value) {
        std::string text;
        for (const auto& attribute : point.attributes)
          text += attribute_text(point.attributes, attribute.key) + " ";
        texts.push_back(text + value);
      };
      for (const auto& point : counter_points(metric))
        tell(point, std::to_string(std::get<std::int64_t>(point.value)));
      for (const auto& point : histogram_points(metric))
        tell(point, std::to_string(point.count));
    }
    return texts;
  }
  [[nodiscard]] std::vector<std::string> requests() const {
    return values_of("traces_service_graph_request");
  }
  [[nodiscard]] std::vector<std::string> of_servers() const {
    return values_of("traces_service_graph_request_server_seconds");
  }

  ServiceGraph graph_;

 private:
  ClosedWindow window_;
  std::vector<Metric> metrics_;
  TargetId targets_ = 100;
  std::uint64_t now_ = kWindow;
};

TEST_F(Graph, NeverFallsWhenTheFirstClientIsSeen) {
  add(Role::kServer, "cart", kServer, kClient, 2, 50);
  close();
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("user cart virtual_node 50"));
  add(Role::kClient, "user", kClient, kVirtual, 3, 1, "cart");
  close();
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("user cart virtual_node 51"));
}

TEST_F(Graph, TheServersEndMayBeOfTheWindowBefore) {
  server("cart", kServer, kClient);
  close();
  EXPECT_THAT(requests(), IsEmpty()) << "its client may follow";
  client("shop");
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("shop cart 1"));
  EXPECT_THAT(of_servers(), UnorderedElementsAre("shop cart 1"));
}

TEST_F(Graph, TheClientsEndMayBeOfTheWindowBefore) {
  client("shop", kLoopbackClient, kLoopbackServer);
  close();
  server("cart", kLoopbackServer, kLoopbackClient);
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("shop cart 1"));
  EXPECT_THAT(of_servers(), UnorderedElementsAre("shop cart 1"));
}

TEST_F(Graph, WithTheAgentEndsWhatWaits) {
  server("cart");
  close(/*last=*/true);
  EXPECT_THAT(requests(), UnorderedElementsAre("user cart virtual_node 1"));
}

TEST_F(Graph, AServersAddressMayBeTranslated) {
  client("shop", kClient, kVirtual);
  server("cart", kServer, kClient);
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("shop cart 1"));
}

TEST_F(Graph, OfTwoConnectionsFromOnePortEachHasItsOwnEnd) {
  client("shop", kClient, kServer, 1);
  client("shop", kClient, kVirtual, 2);
  server("cart", kServer, kClient, 3);
  close();
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("shop cart 1", "shop elsewhere virtual_node 1"));
}

TEST_F(Graph, WhereTwoClientsMayBeMeantNoneIs) {
  client("shop", kClient, kVirtual, 1);
  client("bank", kClient, kVirtual, 2);
  server("cart", kServer, kClient, 3);
  close();
  close();
  EXPECT_THAT(of_servers(), IsEmpty());
  EXPECT_THAT(requests(), UnorderedElementsAre("shop cart 1", "bank cart 1"))
      << "each asked something whose only other end is cart's";
}

TEST_F(Graph, LoopbackAddressesOfTwoNetworksAreNotTakenForOneAnother) {
  client("shop", kLoopbackClient, kLoopbackServer, 1);
  client("bank", kLoopbackClient, kLoopbackServer, 2);
  server("cart", kLoopbackServer, kLoopbackClient, 3);
  server("safe", kLoopbackServer, kLoopbackClient, 4);
  close();
  close();
  EXPECT_THAT(requests(), UnorderedElementsAre("shop elsewhere virtual_node 1",
                                               "bank elsewhere virtual_node 1"));
}

TEST_F(Graph, AServerOnALoopbackAddressIsNotLearned) {
  server("cart", kLoopbackServer, {.address = {127, 0, 0, 1}, .port = 50'000});
  close();
  client("shop", kLoopbackClient, kLoopbackServer);
  close();
  close();
  EXPECT_THAT(requests(),
              UnorderedElementsAre("user cart virtual_node 1", "shop elsewhere virtual_node 1"));
}

TEST_F(Graph, NoClientKeepsOthersOutAndIdleEdgesMakeRoom) {
  const auto ask_many = [&](const std::string& who, int first, int count) {
    for (int i = first; i < first + count; ++i)
      add(Role::kClient, who, kClient, kVirtual, 1, 1, ("host" + std::to_string(i)).c_str());
    close(/*last=*/true);
  };
  const auto edges_of = [&](const std::string& who) {
    std::size_t edges = 0;
    for (const auto& text : requests())
      edges += text.starts_with(who) ? 1 : 0;
    return edges;
  };
  ask_many("greedy", 0, 5000);
  EXPECT_EQ(edges_of("greedy"), ServiceGraph::kMostEdges / 2);
  ask_many("modest", 0, 10);
  EXPECT_EQ(edges_of("modest"), 10u);
  for (int window = 0; window < 31; ++window)
    close();
  ask_many("greedy", 10'000, 100);
  EXPECT_EQ(edges_of("greedy"), 100u) << "its others, and everybody's, were idle";
}

}  // namespace
}  // namespace exa
