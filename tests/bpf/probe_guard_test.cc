// No program that a probe runs can be preempted where it has variables: see
// bpf/lib/preemption.bpf.h.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "agent/kernel/handles.h"
#include "agent/kernel/tls_programs.h"
#include "exa/abi/config.h"
#include "private_stacks.skel.h"
#include "tests/bpf/capture_fixture.h"
#include "tls.skel.h"

namespace exa::test {
namespace {

using kernel::Releaser;
using Stacks = std::unique_ptr<private_stacks_bpf, Releaser<private_stacks_bpf__destroy>>;

std::uint32_t program_id(int fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
  return info.id;
}

// By program id: has it, or a function of it, a stack that the threads of a CPU share?
std::map<std::uint32_t, bool> shared_stacks(const private_stacks_bpf& stacks) {
  const kernel::BpfLink link(bpf_program__attach_iter(stacks.progs.tell_stacks, nullptr));
  if (!link) return {};
  const UniqueFd visit(bpf_iter_create(bpf_link__fd(link.get())));
  std::map<std::uint32_t, bool> found;
  std::array<std::uint64_t, 2> row{};
  while (::read(visit.get(), row.data(), sizeof(row)) == static_cast<ssize_t>(sizeof(row)))
    found[static_cast<std::uint32_t>(row[0])] = row[1] != 0;
  return found;
}

// The program's own code, without that of its functions.
std::vector<bpf_insn> own_code(std::uint32_t id) {
  const UniqueFd program(bpf_prog_get_fd_by_id(id));
  std::vector<bpf_insn> code(4096);
  bpf_prog_info info{};
  info.xlated_prog_insns = reinterpret_cast<std::uint64_t>(code.data());
  info.xlated_prog_len = static_cast<std::uint32_t>(code.size() * sizeof(bpf_insn));
  std::uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(program.get(), &info, &size), 0);
  const auto end = std::ranges::find(code, BPF_JMP | BPF_EXIT, &bpf_insn::code);
  code.erase(end, code.end());
  return code;
}

// Whatever has variables is called between two functions of the kernel, which forbid and allow
// preemption.
bool is_guarded(std::uint32_t id) {
  std::string calls;
  for (const bpf_insn& instruction : own_code(id)) {
    if (instruction.dst_reg == BPF_REG_10 || instruction.src_reg == BPF_REG_10) return false;
    if (instruction.code != (BPF_JMP | BPF_CALL)) continue;
    if (instruction.src_reg == BPF_PSEUDO_KFUNC_CALL) calls += "kernel ";
    if (instruction.src_reg == BPF_PSEUDO_CALL) calls += "own ";
  }
  return calls == "kernel own kernel ";
}

class ProbeGuard : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    if (IsSkipped()) return;
    if (!kernel::probe_kernel_features().has(kernel::FeatureId::kUprobeMulti))
      GTEST_SKIP() << "this kernel has no uprobe_multi links";
    start(config_);
    stacks_.reset(private_stacks_bpf__open_and_load());
    ASSERT_TRUE(stacks_);
  }
  const kernel::CaptureConfig config_{.event_rings = kernel::suggested_event_rings(), .tls = true};
  Stacks stacks_;
};

TEST_F(ProbeGuard, NoProgramOnAProbeHasVariablesOutsideTheGuard) {
  const auto tls = kernel::TlsPrograms::load(*programs_, config_);
  ASSERT_TRUE(tls) << tls.error().text;
  const auto shared = shared_stacks(*stacks_);
  if (shared.empty()) GTEST_SKIP() << "this kernel has no stacks that threads share";
  const auto unguarded = program_id(bpf_program__fd(stacks_->progs.with_variables));
  ASSERT_TRUE(shared.at(unguarded) && !is_guarded(unguarded)) << "the check cannot tell";
  for (const auto& program : tls->figures()) {
    if (program.name == "exa_tls_sweep") continue;
    EXPECT_TRUE(!shared.at(program.id) || is_guarded(program.id)) << program.name;
  }
}

// Kernels before 6.14 refuse calls of global functions while preemption is forbidden.
TEST(ProbeGuardedCode, CallsNoGlobalFunction) {
  const std::unique_ptr<tls_bpf, Releaser<tls_bpf__destroy>> opened(tls_bpf__open());
  ASSERT_TRUE(opened);
  const btf* const types = bpf_object__btf(opened->obj);
  std::vector<std::string> global;
  for (__u32 id = 1; id < btf__type_cnt(types); ++id) {
    const btf_type* const type = btf__type_by_id(types, id);
    if (btf_is_func(type) && btf_vlen(type) == BTF_FUNC_GLOBAL)
      global.emplace_back(btf__name_by_offset(types, type->name_off));
  }
  // The programs themselves, and the kernel's two.
  EXPECT_THAT(global,
              testing::UnorderedElementsAre("exa_tls_enter", "exa_table_enter", "exa_tls_sweep",
                                            "bpf_preempt_disable", "bpf_preempt_enable"));
}

TEST_F(ProbeGuard, WithoutItTlsStaysOff) {
  auto features = kernel::probe_kernel_features();
  for (auto& feature : features.features)
    if (feature.id == kernel::FeatureId::kProbeGuard) feature.present = false;
  EXPECT_TRUE(features.can_run());
  const auto capture = kernel::CapturePrograms::load(config_, features);
  ASSERT_TRUE(capture) << capture.error().text;
  const auto tls = kernel::TlsPrograms::load(*capture, config_);
  ASSERT_FALSE(tls);
  EXPECT_NE(tls.error().text.find("preempted"), std::string::npos) << tls.error().text;
}

}  // namespace
}  // namespace exa::test
