// The HTTP server of the endpoint: a thread of libmicrohttpd that answers its routes, and a page at
// "/" that lists them. GET and HEAD.
// Owned by the exporter that listens. Budget: settings.connections of settings.connection_bytes. At
// 80 % of its connections the oldest are shut, so idle or slow ones never keep anybody out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exa/base/result.h"
#include "exa/export/log_sink.h"
#include "exporters/page/route.h"

namespace exa {

struct PageSettings {
  std::string host = "127.0.0.1";  // an address; "::1", "0.0.0.0" or a name that resolves
  std::uint16_t port = 9464;       // 0: any free port, see PageServer::port
  // Lowered to what RLIMIT_NOFILE leaves.
  unsigned connections = 1'280;
  std::size_t connection_bytes = 8u << 10;  // request line and headers beyond it: 431 or 414
  unsigned idle_seconds = 10;
};

class PageServer {
 public:
  // Fails with a sentence if the address cannot be had.
  static Result<std::unique_ptr<PageServer>> start(const PageSettings& settings,
                                                   std::vector<Route> routes, const LogSink& log);
  ~PageServer();

  [[nodiscard]] std::uint16_t port() const;
  // Stops listening and closes every connection, at once. Idempotent.
  void stop();

 private:
  class Daemon;
  explicit PageServer(std::unique_ptr<Daemon> daemon);
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace exa
