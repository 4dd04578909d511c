// Runs code as the two processes run it: in a child that the product's own functions confine.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <functional>
#include <string>

#include "agent/config/config.h"
#include "agent/privilege/pipeline_process.h"

namespace exa {

// An outcome as it stands in the tables of the tests: "ok", an errno by name, or what killed.
std::string outcome_of(int status);

// 0 or errno of a system call's result.
inline int error_of(long result) {
  return result < 0 ? errno : 0;
}

struct Attempt {
  const char* what;
  std::function<int()> call;
  const char* outcome;
};

inline int opened(const std::string& path, int flags = O_RDONLY) {
  return error_of(open(path.c_str(), flags, 0600));
}

inline PipelineReach usual_reach() {
  return {.uid = PipelineSettings{}.uid};
}

// The call returns an errno, or 0.
std::string in_pipeline(const std::function<int()>& call,
                        const PipelineReach& reach = usual_reach());
std::string in_prober(const std::function<int()>& call);

}  // namespace exa
