// An account as people read it: one sentence, the largest part of the time first.
#pragma once

#include <string>

#include "exa/model/account.h"

namespace exa {

// Of an exchange that lasted so long, after it had waited to be read; empty: nothing is known.
[[nodiscard]] std::string why_sentence(const Account& account, Duration wall,
                                       Duration queued = Duration::zero());

}  // namespace exa
