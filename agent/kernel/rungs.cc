#include "agent/kernel/rungs.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/kernel/capture_object.h"
#include "agent/kernel/kernel_types.h"
#include "exa/abi/config.h"
#include "exa/abi/event.h"

// The skeletons need the contract's types above them.
#include "capture_socket_length.skel.h"

namespace exa::kernel {
namespace {

// The first program of a direction sees every call, those behind it are its spares.
constexpr const char* kReceived[] = {"exa_sock_recv", "exa_sock_recv_2", "exa_sock_recv_3"};
constexpr const char* kSent[] = {"exa_sock_send", "exa_sock_send_2", "exa_sock_send_3"};

constexpr std::array kRungs{
    RungRow{
        .rung = Rung::kSocketLength,
        .name = "tp_btf sock_*_length",
        .is_offered =
            [](const KernelTypes& types) {
              return types.has_tracepoint("sock_send_length") &&
                     types.has_tracepoint("sock_recv_length");
            },
        .open = [] { return capture_object<capture_socket_length_bpf>(kReceived, kSent); },
        .needs = "tracepoints sock_send_length and sock_recv_length",
        .cost_of_lack = "socket I/O cannot be seen through them; Linux 6.3 or newer is needed."},
    RungRow{.rung = Rung::kTcpFentry,
            .name = "fentry tcp_sendmsg/tcp_recvmsg",
            .is_offered =
                [](const KernelTypes& types) {
                  return types.has_function("tcp_sendmsg") && types.has_function("tcp_recvmsg");
                }},
    RungRow{.rung = Rung::kTcpKprobe,
            .name = "kprobe tcp_sendmsg/tcp_recvmsg",
            .is_offered =
                [](const KernelTypes&) {
                  return ::access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0;
                }},
    RungRow{.rung = Rung::kSyscallTracepoint,
            .name = "system call tracepoints",
            .is_offered = [](const KernelTypes& types) { return types.known(); }},
};
static_assert(std::ranges::all_of(kRungs, [](const RungRow& row) {
  return row.open == nullptr || !(row.needs.empty() || row.cost_of_lack.empty());
}));

}  // namespace

std::span<const RungRow> rungs() {
  return kRungs;
}

const RungRow* row_of(Rung rung) {
  const auto* const row =
      std::find_if(kRungs.begin(), kRungs.end(), [&](const RungRow& r) { return r.rung == rung; });
  return row == kRungs.end() ? nullptr : row;
}

std::string_view rung_name(Rung rung) {
  const RungRow* const row = row_of(rung);
  return row ? row->name : "none";
}

bool is_built(Rung rung) {
  const RungRow* const row = row_of(rung);
  return row && row->open;
}

}  // namespace exa::kernel
