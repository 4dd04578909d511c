// Rings, counters, features and the size of the programs.
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "agent/kernel/features.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using Rings = Capture;

TEST_F(Rings, OverflowIsCountedToTheLastRecord) {
  start({.event_ring_bytes = 4096});
  Connection connection;
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i) {
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    sent += kRequest.size();
  }
  EXPECT_GT(
      count(EXA_COUNTER_DROPPED_CHUNK_RING_FULL) + count(EXA_COUNTER_DROPPED_CHUNK_OVER_SHARE),
      100u);
  drain();
  send_all(connection.client.get(), kRequest);

  const auto seen = chunks(connection.client_cookie);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().event.position, sent) << "the loss is a gap of exact length";
}  // the identity is asserted by the fixture

// One process writes as much as it can, nobody reads, and another wants to say a word.
TEST_F(Rings, ANoisyProcessLeavesRoomForTheOthers) {
  Connection noisy, quiet;
  start({.event_ring_bytes = 64 << 10, .included_ports = {noisy.server_port, quiet.server_port}});
  for (int i = 0; i < 1'000; ++i)
    send_all(noisy.client.get(), kRequest);
  const auto refused = count(EXA_COUNTER_DROPPED_CHUNK_OVER_SHARE);
  EXPECT_GT(refused, 500u);
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 12; ++i) {
      send_all(quiet.client.get(), kRequest);
      receive(quiet.server.get(), kRequest.size());
    }
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);

  EXPECT_THAT(records<exa_chunk_event>(EXA_EVENT_CHUNK, quiet.client_cookie), SizeIs(12));
  EXPECT_THAT(records<exa_chunk_event>(EXA_EVENT_CHUNK, quiet.server_cookie), SizeIs(12));
  const auto told = programs_->noisy_processes();
  const auto ours =
      std::ranges::find(told, static_cast<std::uint32_t>(::getpid()), &kernel::NoisyProcess::tgid);
  ASSERT_NE(ours, told.end());
  EXPECT_EQ(ours->comm, "bpf_capture");
  EXPECT_GT(ours->refused_chunks, 500u);

  send_all(noisy.client.get(), kRequest);
  EXPECT_EQ(chunks(noisy.client_cookie).back().event.position, 1'000 * kRequest.size())
      << "once the ring was read it may write again";
}

// The noisy one fills the ring to its share, those that wrote nothing yet fill the rest.
TEST_F(Rings, ASocketThatCouldNotBeAnnouncedIsCountedAndAnnouncedLater) {
  constexpr std::size_t kOthers = 15;  // with the noisy one as many as ports can be told
  Connection noisy;
  std::vector<Connection> others(kOthers);
  kernel::CaptureConfig own{.event_ring_bytes = 4096};
  own.included_ports.push_back(noisy.server_port);
  for (std::size_t i = 0; i < kOthers; ++i)
    own.included_ports.push_back(others[i].server_port);
  start(own);
  std::vector<std::unique_ptr<Child>> children;
  for (std::size_t i = 0; i < kOthers; ++i) {
    const auto say = [fd = others[i].client.get()] { send_all(fd, kRequest); };
    const auto hear = [fd = others[i].server.get()] { send_all(fd, kResponse); };
    children.push_back(std::make_unique<Child>(std::vector<std::function<void()>>{hear, say, say}));
    children.back()->step();  // the process is told, and its other socket
    drain();
  }
  for (int i = 0; i < 100; ++i)
    send_all(noisy.client.get(), kRequest);
  for (const auto& child : children)
    child->step();

  const auto lost = count(EXA_COUNTER_DROPPED_SOCKET_RING_FULL);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(count(EXA_COUNTER_EMITTED_SOCKET) + lost, 1 + 2 * kOthers);
  const auto last = others.back().client_cookie;
  EXPECT_THAT(records<exa_socket_event>(EXA_EVENT_SOCKET, last), IsEmpty());
  children.back()->step();
  EXPECT_THAT(records<exa_socket_event>(EXA_EVENT_SOCKET, last), SizeIs(1));
  EXPECT_EQ(count(EXA_COUNTER_DROPPED_SOCKET_RING_FULL), lost);
}  // that the chunk was lost with it, the fixture's identity says

TEST_F(Rings, ProgramsStayFarBelowTheVerifierLimit) {
  start({.event_rings = kernel::suggested_event_rings(),
         .call_sleeps = true,
         .late_deliveries = true});
  for (const auto& program : programs_->figures()) {
    std::printf("%-16s %6u instructions verified, %5u bytes\n", program.name.c_str(),
                program.verified_instructions, program.translated_bytes);
    EXPECT_GT(program.verified_instructions, 0u);
    EXPECT_LT(program.verified_instructions, 80'000u) << program.name;
  }
  const std::size_t spares = programs_->features().preempts_tracepoints ? 4 : 0;
  EXPECT_THAT(programs_->figures(), SizeIs(10 + spares));
}

// Where nothing is preempted the spares have nothing to do: what the first has seen is not seen
// again.
TEST_F(Rings, SparesTakeNoCallTwice) {
  auto features = kernel::probe_kernel_features();
  features.preempts_tracepoints = true;
  start({.event_rings = kernel::suggested_event_rings()}, features);
  Connection connection;
  for (int i = 0; i < 3; ++i) {
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
  }
  EXPECT_THAT(chunks(connection.client_cookie, EXA_EGRESS), SizeIs(3));
  EXPECT_THAT(chunks(connection.server_cookie, EXA_INGRESS), SizeIs(3));
}

TEST_F(Rings, OtherSocketsAreFiltered) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd one(ends[0]), other(ends[1]);
  const std::uint64_t before = count(EXA_COUNTER_FILTERED_NOT_TCP);
  send_all(one.get(), kRequest);
  receive(other.get(), kRequest.size());
  EXPECT_GE(count(EXA_COUNTER_FILTERED_NOT_TCP), before + 2);
  EXPECT_THAT(chunks(cookie_of(one.get())), IsEmpty());
}

TEST_F(Rings, AreReadWithoutAnyCapability) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  const std::vector<int> events = programs_->event_ring_fds();
  const int counters = programs_->counters_fd();
  const std::uint64_t cookie = connection.client_cookie;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
        ::setresuid(65534, 65534, 65534) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
      ::_exit(2);
    auto ring = kernel::RingReader::open(events);
    auto values = kernel::KernelCounters::open(counters);
    if (!ring || !values || !values->read()) ::_exit(3);
    bool found = false;
    ring->consume(1'000'000, [&](std::span<const std::byte> record) {
      exa_event_header header;
      std::memcpy(&header, record.data(), sizeof(header));
      found = found || (header.type == EXA_EVENT_CHUNK && header.socket_id == cookie);
    });
    ::_exit(found ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  running_ = false;  // the child was the consumer: what it read is not counted here
}

TEST_F(Rings, OfSeveralCpusAreReadInTheOrderOfTime) {
  if (programs_->event_ring_fds().size() < 2) GTEST_SKIP() << "there is one CPU";
  Connection connection;
  const auto on_cpu = [](unsigned cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    ASSERT_EQ(::sched_setaffinity(0, sizeof(only), &only), 0);
  };
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) cpus.push_back(cpu);
  for (int i = 0; i < 200; ++i) {
    on_cpu(cpus[static_cast<std::size_t>(i) % cpus.size()]);
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    if (i % 50 == 0) drain();
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof(before), &before), 0);
  drain();

  std::set<std::uint32_t> seen_cpus;
  std::uint64_t last_ns = 0;
  std::size_t own = 0;
  for (const std::string& record : records_) {
    const auto header = load<exa_event_header>(record);
    if (header.tgid != static_cast<std::uint32_t>(::getpid())) continue;
    EXPECT_GE(header.ktime_ns, last_ns);
    last_ns = header.ktime_ns;
    seen_cpus.insert(header.cpu);
    own += header.type == EXA_EVENT_CHUNK;
  }
  EXPECT_EQ(own, 400u);
  EXPECT_THAT(seen_cpus, SizeIs(cpus.size()));
}

TEST_F(Rings, AreReadInBoundedBatches) {
  Connection connection;
  for (int i = 0; i < 10; ++i)
    send_all(connection.client.get(), kRequest);
  EXPECT_GE(events_->unread_bytes(), 10 * sizeof(exa_chunk_event));
  const auto keep = [&](std::span<const std::byte> record) {
    records_.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
  };
  EXPECT_EQ(events_->consume(3, keep), 3u);
  EXPECT_EQ(events_->consume(4, keep), 4u);
  EXPECT_THAT(records_, SizeIs(7));
  EXPECT_THAT(chunks(connection.client_cookie), SizeIs(10));
}

TEST_F(Rings, ARingAboveItsFillMarkWakesItsReader) {
  start({.event_ring_bytes = 64 << 10});
  events_->wait(std::chrono::milliseconds(1));  // what came before is over
  Connection connection;
  const std::uint64_t begun_ns = monotonic_ns();
  for (int i = 0; i < 400; ++i)
    send_all(connection.client.get(), kRequest);
  events_->wait(std::chrono::seconds(30));
  EXPECT_LT(monotonic_ns() - begun_ns, 20'000'000'000u);
}

TEST_F(Rings, ARefusedConfigurationIsASentence) {
  const auto features = kernel::probe_kernel_features();
  const auto odd = kernel::CapturePrograms::load({.event_ring_bytes = 5000}, features);
  ASSERT_FALSE(odd.has_value());
  EXPECT_THAT(odd.error().text, testing::HasSubstr("power of two"));
  const auto ports = kernel::CapturePrograms::load(
      {.excluded_ports = std::vector<std::uint16_t>(17, 80)}, features);
  ASSERT_FALSE(ports.has_value());
  EXPECT_THAT(ports.error().text, testing::HasSubstr("at most 16 ports"));
  const auto rings = kernel::CapturePrograms::load({.event_rings = 3}, features);
  ASSERT_FALSE(rings.has_value());
  EXPECT_THAT(rings.error().text, testing::HasSubstr("number of data rings"));
}

TEST(Features, ALackIsASentenceAndARefusal) {
  auto features = kernel::probe_kernel_features();
  for (auto& feature : features.features) {
    EXPECT_TRUE(feature.cost_of_lack.ends_with('.')) << feature.name;
    feature.present = feature.id != kernel::FeatureId::kRingBuffer;
  }
  features.rung = kernel::Rung::kSocketLength;
  EXPECT_FALSE(features.can_run());
  EXPECT_THAT(features.refusal(), testing::HasSubstr("BPF ring buffer is missing"));
}

TEST(Features, OneRungOfThisBuildIsEnough) {
  const auto features = kernel::probe_kernel_features();
  std::vector<std::string_view> told;
  for (const auto& feature : features.features) {
    if (feature.id != kernel::FeatureId::kRung) continue;
    told.push_back(feature.name);
    EXPECT_EQ(feature.required, !kernel::is_built(features.rung)) << feature.name;
  }
  std::vector<std::string_view> built;
  for (const auto& row : kernel::rungs())
    if (row.open != nullptr) built.push_back(row.needs);
  EXPECT_EQ(told, built);
}

TEST(Features, ProgramsAreRefusedWithTheReason) {
  auto features = kernel::probe_kernel_features();
  features.rung = kernel::Rung::kTcpFentry;
  features.rung_sentence = "this kernel is too old";
  const auto programs = kernel::CapturePrograms::load({}, features);
  ASSERT_FALSE(programs.has_value());
  EXPECT_THAT(programs.error().text, testing::HasSubstr("this kernel is too old"));
}

}  // namespace
}  // namespace exa::test
