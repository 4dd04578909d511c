// I/O of a kernel thread on a socket that a process has: nobody's request, so counted and left out.
#include <linux/bpf.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

// What reaches one socket leaves through another, as proxies splice connections: a worker of the
// kernel sends it.
class SplicedByTheKernel {
 public:
  SplicedByTheKernel(int from, int to) {
    bpf_attr map{};
    map.map_type = BPF_MAP_TYPE_SOCKMAP;
    map.key_size = map.value_size = sizeof(int);
    map.max_entries = 2;
    map_.reset(bpf(BPF_MAP_CREATE, map));
    EXPECT_TRUE(map_.valid()) << std::strerror(errno);

    // return bpf_sk_redirect_map(skb, &map, 0, 0)
    const bpf_insn code[] = {
        {.code = BPF_LD | BPF_DW,  // with BPF_IMM, which is 0
         .dst_reg = BPF_REG_2,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .off = 0,
         .imm = map_.get()},
        {},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K,
         .dst_reg = BPF_REG_3,
         .src_reg = 0,
         .off = 0,
         .imm = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K,
         .dst_reg = BPF_REG_4,
         .src_reg = 0,
         .off = 0,
         .imm = 0},
        {.code = BPF_JMP | BPF_CALL,
         .dst_reg = 0,
         .src_reg = 0,
         .off = 0,
         .imm = BPF_FUNC_sk_redirect_map},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    };
    bpf_attr program{};
    program.prog_type = BPF_PROG_TYPE_SK_SKB;
    program.insns = reinterpret_cast<std::uint64_t>(code);
    program.insn_cnt = std::size(code);
    program.license = reinterpret_cast<std::uint64_t>("GPL");
    program_.reset(bpf(BPF_PROG_LOAD, program));
    EXPECT_TRUE(program_.valid()) << std::strerror(errno);

    bpf_attr attach{};
    attach.target_fd = static_cast<unsigned>(map_.get());
    attach.attach_bpf_fd = static_cast<unsigned>(program_.get());
    attach.attach_type = BPF_SK_SKB_STREAM_VERDICT;
    EXPECT_EQ(bpf(BPF_PROG_ATTACH, attach), 0) << std::strerror(errno);
    put(0, to);
    put(1, from);
  }

 private:
  void put(int key, int socket) {
    bpf_attr entry{};
    entry.map_fd = static_cast<unsigned>(map_.get());
    entry.key = reinterpret_cast<std::uint64_t>(&key);
    entry.value = reinterpret_cast<std::uint64_t>(&socket);
    EXPECT_EQ(bpf(BPF_MAP_UPDATE_ELEM, entry), 0) << std::strerror(errno);
  }

  UniqueFd map_;
  UniqueFd program_;
};

using KernelThreads = Capture;

TEST_F(KernelThreads, WhatTheySendIsCountedAndLeftOut) {
  Connection before;  // to a proxy
  Connection behind;  // from it
  start({.included_ports = {before.server_port, behind.server_port}});
  const auto filtered = count(EXA_COUNTER_FILTERED_KERNEL);
  const SplicedByTheKernel proxy(before.server.get(), behind.client.get());

  send_all(before.client.get(), kRequest);
  EXPECT_EQ(receive(behind.server.get(), kRequest.size()), kRequest);

  // Its bytes may be here before the worker's call returns.
  EXPECT_TRUE(eventually([&] { return count(EXA_COUNTER_FILTERED_KERNEL) > filtered; }));
  EXPECT_THAT(chunks(behind.client_cookie), IsEmpty());
  EXPECT_THAT(chunks(before.client_cookie), testing::SizeIs(1)) << "a process sent that";
  EXPECT_THAT(chunks(behind.server_cookie), testing::SizeIs(1)) << "and one read it";
}

}  // namespace
}  // namespace exa::test
