// What loading and running one BPF object takes, shared by the objects of this room.
#pragma once

#include <string>
#include <vector>

#include "agent/kernel/capture_programs.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

struct bpf_link;
struct bpf_object;
struct exa_capture_config;

namespace exa::kernel {

// The errno with what libbpf said about it.
std::unexpected<Error> fail_with_reason(std::string what, int errno_value);

void configure(exa_capture_config& to, const CaptureConfig& from);

// Lets an iterator program visit everything.
Result<> walk(const bpf_link& iterator, const std::string& what);

// By which maps know a process: dead, it names nobody, whoever has its number then. Not valid if
// there is no such process.
UniqueFd open_pidfd(std::uint32_t tgid);

std::vector<ProgramFigures> program_figures(const bpf_object& object);

}  // namespace exa::kernel
