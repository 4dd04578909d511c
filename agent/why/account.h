// The account of an exchange, of what was known at its two ends. Pure.
#pragma once

#include "agent/why/call_facts.h"
#include "agent/why/thread_work.h"
#include "exa/model/account.h"

namespace exa {

// At one end of an exchange: the call, and what its thread had done by then.
struct AccountEnd {
  CallFacts call;
  ThreadWork::Totals work;
};

// wall is the time between the two calls. Each part is at most what is left of it.
[[nodiscard]] Account account_between(const AccountEnd& begun, const AccountEnd& ended,
                                      Duration wall);

// What is left of it where the thread is not the exchange's own.
[[nodiscard]] Account without_thread(const Account& account);

}  // namespace exa
