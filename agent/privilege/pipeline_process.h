// Starts the pipeline as a child of the prober.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "agent/privilege/channel.h"
#include "agent/privilege/confinement.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct PipelineProcess {
  pid_t pid = 0;
  UniqueFd exited;  // pidfd: readable once the child is gone
  Channel channel;  // the prober's end
};

// Runs in the child, confined; the result is the exit code. Everything that the stack above
// start_pipeline() owns belongs to the parent: the child has its memory but must not touch it, and
// leaves by _exit so that nothing of it is released twice.
using PipelineBody = std::function<int(Channel, const Result<ConfinementReport>&)>;

// Called while the process has one thread. The child keeps standard streams, its end of the
// channel and the descriptors listed. If confinement failed, the body is told and must end.
Result<PipelineProcess> start_pipeline(const PipelineReach& reach, const std::vector<int>& kept,
                                       const PipelineBody& body);

// Ends this process as soon as the channel's other end is closed. PR_SET_PDEATHSIG does not do it
// alone: the kernel checks the dying parent's permission to signal us, which a parent without
// CAP_KILL has not over another user. Starts one thread that only waits.
Result<> end_with_peer(int channel_fd);

}  // namespace exa
