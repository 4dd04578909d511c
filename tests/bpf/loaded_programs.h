// The capture programs, loaded once for all tests that want them as they come: to have them
// verified takes most of a test, and in an emulator almost all of it.
#pragma once

#include "agent/kernel/capture_programs.h"

namespace exa::test {

// Makes detached programs as if they had just been loaded: nothing is counted, no process is
// announced or judged. Sockets take what was known of them along.
void forget_everything(const kernel::CapturePrograms& programs);

}  // namespace exa::test
