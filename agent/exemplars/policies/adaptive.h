// Admits so many requests per second, of all series together, by a share of all traces that follows
// the traffic. The share changes once a second: it is what would have been right for the requests
// of the last seconds, the later the more, corrected by what was admitted too much or too little.
// Its traffic is what it is asked of: where policies before it decide, only the rest.
#pragma once

#include <cstdint>

#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"

namespace exa {

class Adaptive final : public Policy {
 public:
  explicit Adaptive(const policy::Adaptive& spec);

  [[nodiscard]] bool admits(const Offer& offer) override;
  [[nodiscard]] double share() const { return share_; }

 private:
  void begin_second(std::uint64_t second);

  policy::Adaptive spec_;
  std::uint64_t second_ = 0;
  std::uint32_t requests_ = 0;  // of that second
  std::uint32_t admitted_ = 0;
  double rate_ = 0;  // requests per second, of the last ones
  double owed_ = 0;  // what was admitted too little in the last seconds
  double share_;
  std::uint64_t threshold_;
};

}  // namespace exa
