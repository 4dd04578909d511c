// Ends this process as soon as its child has ended, while it does work that takes long and looks at
// nothing else: loading programs into the kernel. By SIGCHLD, so that it comes within that work.
// One at a time, in any thread.
#pragma once

#include <sys/types.h>

namespace exa {

class EndWithChild {
 public:
  explicit EndWithChild(pid_t child);
  ~EndWithChild();
  EndWithChild(const EndWithChild&) = delete;
};

}  // namespace exa
