// The rungs of capture: the ways to see the bytes of sockets, best first. The first that the kernel
// offers is taken; one that this build does not contain is named, so that an older kernel gets a
// clear sentence. All send the same records.
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace exa::kernel {

class CaptureObject;
class KernelTypes;

enum class Rung { kSocketLength, kTcpFentry, kTcpKprobe, kSyscallTracepoint, kNone };

struct RungRow {
  Rung rung;
  std::string_view name;  // what its programs hang on
  bool (*is_offered)(const KernelTypes& types);
  // Its object, opened and not loaded; null if that fails, errno says why. No function: not in this
  // build.
  std::unique_ptr<CaptureObject> (*open)() = nullptr;
  // Of one in this build, for people: what the kernel must have, and a sentence for when it has
  // not.
  std::string_view needs = {};
  std::string_view cost_of_lack = {};
};

std::span<const RungRow> rungs();  // without kNone

const RungRow* row_of(Rung rung);  // null: kNone
std::string_view rung_name(Rung rung);
[[nodiscard]] bool is_built(Rung rung);

}  // namespace exa::kernel
