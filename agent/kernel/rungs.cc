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
    RungRow{Rung::kSocketLength, "tp_btf sock_*_length",
            [](const KernelTypes& types) {
              return types.has_tracepoint("sock_send_length") &&
                     types.has_tracepoint("sock_recv_length");
            },
            [] { return capture_object<capture_socket_length_bpf>(kReceived, kSent); }},
    RungRow{Rung::kTcpFentry, "fentry tcp_sendmsg/tcp_recvmsg",
            [](const KernelTypes& types) { return types.has_function("tcp_sendmsg"); }, nullptr},
    RungRow{Rung::kTcpKprobe, "kprobe tcp_sendmsg/tcp_recvmsg",
            [](const KernelTypes&) {
              return ::access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0;
            },
            nullptr},
    RungRow{Rung::kSyscallTracepoint, "system call tracepoints",
            [](const KernelTypes& types) { return types.known(); }, nullptr},
};

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
