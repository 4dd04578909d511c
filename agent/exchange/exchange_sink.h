// Receives each finished exchange. Capture thread; must not block, allocate or log.
#pragma once

#include "exa/model/exchange.h"

namespace exa {

class ExchangeSink {
 public:
  virtual ~ExchangeSink() = default;
  virtual void on_exchange(const Exchange& exchange) = 0;
};

}  // namespace exa
