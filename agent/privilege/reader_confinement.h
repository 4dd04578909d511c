// How the zygote confines itself. In it only, while it has one thread.
#pragma once

#include "exa/base/result.h"

namespace exa {

// CAP_DAC_READ_SEARCH stays permitted, as far as it was, and is not in force. Nothing else stays.
Result<> keep_the_right_to_open();

// Undumpable, no core file, no new privilege, a filter of system calls.
Result<> confine_zygote();

}  // namespace exa
