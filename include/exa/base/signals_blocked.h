// Threads that leave signals to the main thread.
#pragma once

#include <csignal>

namespace exa {

// All signals blocked while it lives; threads started meanwhile inherit that. SIGPIPE among them:
// a peer that went away is an error of the write, never the end of the agent.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace exa
