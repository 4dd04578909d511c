// What processes were last seen to publish. It names them where it cannot be read for once, so that
// nobody has two names in turn.
//
// Prober thread. At most kMax of them, of 8 KiB at most; then all are forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "agent/discovery/proc_reader.h"

namespace exa {

class PublishedBefore {
 public:
  static constexpr std::size_t kMax = 1'024;

  void note(const ProcessFacts& facts, const OtelEnvironment& said) {
    if (said == OtelEnvironment{}) {
      entries_.erase(facts.process.tgid);
      return;
    }
    if (entries_.size() >= kMax) entries_.clear();
    entries_[facts.process.tgid] = {facts.process.start_time_ns, facts.exe_path, said};
  }
  // By the same process, running the same program.
  [[nodiscard]] OtelEnvironment of(const ProcessFacts& facts) const {
    const auto found = entries_.find(facts.process.tgid);
    const bool same = found != entries_.end() &&
                      found->second.start_time_ns == facts.process.start_time_ns &&
                      found->second.exe_path == facts.exe_path;
    return same ? found->second.said : OtelEnvironment{};
  }

 private:
  struct Entry {
    std::uint64_t start_time_ns = 0;
    std::string exe_path;
    OtelEnvironment said;
  };
  std::map<std::uint32_t, Entry> entries_;
};

}  // namespace exa
