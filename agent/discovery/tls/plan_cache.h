// Remembers the plan of each file, also that a file has nothing to probe: most processes of a host
// share a handful of files, and reading them once is enough.
// Thread of TlsWatch only. Holds at most the capacity; the plan used longest ago makes room.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "agent/discovery/elf/file_identity.h"
#include "agent/discovery/tls/attach_plan.h"

namespace exa {

class PlanCache {
 public:
  static constexpr std::size_t kDefaultCapacity = 4096;
  explicit PlanCache(std::size_t capacity = kDefaultCapacity) : capacity_(capacity) {}

  [[nodiscard]] std::shared_ptr<const AttachPlan> find(const FileIdentity& file);
  void remember(const FileIdentity& file, std::shared_ptr<const AttachPlan> plan);

  [[nodiscard]] std::size_t size() const { return plans_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const FileIdentity& file) const;
  };
  struct Entry {
    FileIdentity file;
    std::shared_ptr<const AttachPlan> plan;
  };
  using Order = std::list<Entry>;  // last used first

  std::size_t capacity_;
  Order order_;
  std::unordered_map<FileIdentity, Order::iterator, Hash> plans_;
};

}  // namespace exa
