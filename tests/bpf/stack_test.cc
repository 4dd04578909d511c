// Before Linux 6.13 a program and whatever it calls share one stack of 512 bytes. Newer kernels do
// not notice what an older one refuses, so it is added up here as those do.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "agent/kernel/thread_sleeps.h"
#include "agent/kernel/tls_programs.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

constexpr int kStackBytes = 512;
constexpr int kFrameAlignment = 16;  // of code that is compiled

// What the verifier left of a program, with the functions that it calls behind it.
std::vector<bpf_insn> instructions_of(std::uint32_t program_id) {
  const UniqueFd program(::bpf_prog_get_fd_by_id(program_id));
  bpf_prog_info info{};
  std::uint32_t size = sizeof(info);
  if (::bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return {};
  std::vector<bpf_insn> instructions(info.xlated_prog_len / sizeof(bpf_insn));
  const auto length = info.xlated_prog_len;
  info = {};
  info.xlated_prog_insns = reinterpret_cast<std::uintptr_t>(instructions.data());
  info.xlated_prog_len = length;
  size = sizeof(info);
  if (::bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return {};
  return instructions;
}

// The deepest chain of calls, in bytes of stack.
class StackOf {
 public:
  explicit StackOf(std::vector<bpf_insn> instructions) : code_(std::move(instructions)) {
    begins_.insert(0);
    for (std::size_t i = 0; i < code_.size(); ++i)
      if (const auto callee = callee_of(i); callee != kNone) begins_.insert(callee);
  }
  int deepest(std::size_t function = 0) {
    if (const auto known = depths_.find(function); known != depths_.end()) return known->second;
    int frame = 1;
    int below = 0;
    std::set<int> frame_addresses;  // registers that hold the frame's
    const auto end = begins_.upper_bound(function);
    for (auto i = function; i < (end == begins_.end() ? code_.size() : *end); ++i) {
      frame = std::max(frame, reach_of(code_[i], frame_addresses));
      if (const auto callee = callee_of(i); callee != kNone)
        below = std::max(below, deepest(callee));
    }
    const int aligned = (frame + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
    return depths_[function] = aligned + below;
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  // Of a call, or of the address of a function that a helper will call.
  [[nodiscard]] std::size_t callee_of(std::size_t at) const {
    const auto& one = code_[at];
    if (one.code == (BPF_JMP | BPF_CALL) && one.src_reg == BPF_PSEUDO_CALL)
      return at + 1 + static_cast<std::size_t>(one.off != 0 ? one.off : one.imm);
    if (one.code == (BPF_LD | BPF_IMM | BPF_DW) && one.src_reg == BPF_PSEUDO_FUNC)
      return at + 1 + static_cast<std::size_t>(one.imm);
    return kNone;
  }
  // How far down the frame it reaches.
  static int reach_of(const bpf_insn& one, std::set<int>& frame_addresses) {
    const auto kind = BPF_CLASS(one.code);
    if (kind == BPF_LDX && one.src_reg == BPF_REG_10) return -one.off;
    if ((kind == BPF_ST || kind == BPF_STX) && one.dst_reg == BPF_REG_10) return -one.off;
    if (one.code == (BPF_ALU64 | BPF_MOV | BPF_X) && one.src_reg == BPF_REG_10)
      frame_addresses.insert(one.dst_reg);
    else if (one.code == (BPF_ALU64 | BPF_ADD | BPF_K) && frame_addresses.erase(one.dst_reg) > 0)
      return -one.imm;
    return 0;
  }

  std::vector<bpf_insn> code_;
  std::set<std::size_t> begins_;  // of functions
  std::map<std::size_t, int> depths_;
};

class Stack : public Capture {
 protected:
  static void expect_room(const std::vector<kernel::ProgramFigures>& programs) {
    for (const auto& program : programs) {
      const auto instructions = instructions_of(program.id);
      ASSERT_FALSE(instructions.empty()) << program.name;
      const int bytes = StackOf(instructions).deepest();
      std::printf("%-16s %4d bytes of stack\n", program.name.c_str(), bytes);
      EXPECT_LE(bytes, kStackBytes) << program.name;
    }
  }
};

// With everything that may be asked for, and with the spares of kernels that preempt programs.
TEST_F(Stack, HasRoomForWhateverAProgramCalls) {
  const kernel::CaptureConfig config{.event_rings = kernel::suggested_event_rings(),
                                     .call_sleeps = true,
                                     .late_deliveries = true,
                                     .tls = true};
  auto features = kernel::probe_kernel_features();
  features.preempts_tracepoints = true;
  start(config, features);
  expect_room(programs_->figures());
  const auto sleeps = kernel::ThreadSleeps::follow(*programs_);
  ASSERT_TRUE(sleeps) << sleeps.error().text;
  expect_room(sleeps->figures());
  const auto tls = kernel::TlsPrograms::load(*programs_, config);
  if (!tls) GTEST_SKIP() << tls.error().text;
  expect_room(tls->figures());
}

}  // namespace
}  // namespace exa::test
