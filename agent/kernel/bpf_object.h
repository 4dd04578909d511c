// What loading and running a BPF object takes, whatever programs it has. Inside this room only.
#pragma once

#include <string>
#include <vector>

#include "agent/kernel/capture_programs.h"
#include "agent/kernel/handles.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct bpf_program;
struct exa_capture_config;

namespace exa::kernel {

// The errno with what libbpf said about it.
std::unexpected<Error> fail_with_reason(std::string what, int errno_value);

void configure(exa_capture_config& to, const CaptureConfig& from);

// By name, as the object was compiled with them. A name that it does not have is a defect of this
// build and ends the process.
bpf_map& map_of(const bpf_object& object, const char* name);
int map_fd_of(const bpf_object& object, const char* name);  // borrowed; -1 before it is loaded
bpf_program& program_of(const bpf_object& object, const char* name);

// Before to is loaded: it uses those maps of from that both declare, and makes the others itself.
Result<> share_maps(bpf_object& to, const bpf_object& from);

// An iterator program that goes through what a map holds.
Result<BpfLink> attach_to_map(const bpf_program& iterator, int map_fd, const std::string& what);
// Lets an iterator program visit everything.
Result<> walk(const bpf_link& iterator, const std::string& what);

// By which maps know a process: dead, it names nobody, whoever has its number then. Not valid if
// there is no such process.
UniqueFd open_pidfd(std::uint32_t tgid);

std::vector<ProgramFigures> program_figures(const bpf_object& object);

}  // namespace exa::kernel
