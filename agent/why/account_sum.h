// The accounts of many exchanges together, in whole numbers: the order in which they come does not
// matter, and the parts of their time add up to the sum of their durations exactly. A value.
#pragma once

#include <cstdint>

#include "agent/why/time_spent.h"
#include "exa/model/account.h"

namespace exa {

struct AccountSum {
  TimeSpent spent;
  std::uint64_t exchanges = 0;
  std::uint64_t of_thread = 0;  // of these, whose thread is known
  std::uint64_t of_socket = 0;
  std::uint64_t retransmits = 0;

  void add(const Account& account, Duration wall) {
    spent.merge(time_spent(account, wall));
    ++exchanges;
    of_thread += account.thread_known ? 1 : 0;
    of_socket += account.socket_known ? 1 : 0;
    retransmits += account.retransmits;
  }
  void merge(const AccountSum& other) {
    spent.merge(other.spent);
    exchanges += other.exchanges;
    of_thread += other.of_thread;
    of_socket += other.of_socket;
    retransmits += other.retransmits;
  }
  bool operator==(const AccountSum&) const = default;
};

}  // namespace exa
