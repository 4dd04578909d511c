#include "exporters/openmetrics/endpoint.h"

#include <microhttpd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "exa/base/signals_blocked.h"
#include "exporters/openmetrics/listen_socket.h"
#include "exporters/openmetrics/scrape_cache.h"

namespace exa {
namespace {

constexpr const char* kLandingPage =
    "<!doctype html>\n<html><head><title>exemplar-agent</title></head>\n"
    "<body><h1>exemplar-agent</h1>\n<ul>\n"
    "<li><a href=\"/metrics\">/metrics</a>: OpenMetrics 1.0 with exemplars, or text 0.0.4</li>\n"
    "<li><a href=\"/healthz\">/healthz</a>: the agent runs</li>\n"
    "<li><a href=\"/readyz\">/readyz</a>: the agent observes requests</li>\n"
    "</ul></body></html>\n";

// Descriptors that the rest of the agent may need.
constexpr rlim_t kSpareDescriptors = 128;

unsigned affordable_connections(unsigned wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t left = limit.rlim_cur > 2 * kSpareDescriptors ? limit.rlim_cur - kSpareDescriptors
                                                             : limit.rlim_cur / 2;
  return static_cast<unsigned>(std::clamp<rlim_t>(left, 1, wanted));
}

struct ResponseReleaser {
  void operator()(MHD_Response* response) const noexcept { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseReleaser>;

MHD_Result answer(MHD_Connection* connection, unsigned status, const Response& response) {
  return response ? MHD_queue_response(connection, status, response.get()) : MHD_NO;
}

Response make_response(std::string_view text, const char* type) {
  Response response(MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                                    MHD_RESPMEM_MUST_COPY));
  if (response) {
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response.get(), "X-Content-Type-Options", "nosniff");
  }
  return response;
}

MHD_Result answer_plain(MHD_Connection* connection, unsigned status, std::string_view text) {
  return answer(connection, status, make_response(text, "text/plain; charset=utf-8"));
}

std::string_view request_header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

class OpenMetricsEndpoint::Server {
 public:
  Server(ExportCounters& counters, ReadinessCheck readiness)
      : counters_(counters), readiness_(std::move(readiness)) {}
  ~Server() { stop(); }

  Result<> start(const EndpointSettings& settings, const LogSink& log) {
    auto socket = listen_on(settings.host, settings.port);
    if (!socket) return std::unexpected(socket.error());
    port_ = bound_port(*socket);
    connection_limit_ = affordable_connections(settings.connections);
    if (connection_limit_ < settings.connections && log)
      log(LogLevel::kInfo, "the metrics endpoint serves at most " +
                               std::to_string(connection_limit_) +
                               " connections at once: the limit of open files (ulimit -n) leaves "
                               "no room for more");
    const SignalsBlocked blocked;  // inherited by the server's thread
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, &Server::serve, this,
        MHD_OPTION_LISTEN_SOCKET, socket->get(), MHD_OPTION_CONNECTION_LIMIT, connection_limit_,
        MHD_OPTION_CONNECTION_TIMEOUT, settings.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        settings.connection_bytes, MHD_OPTION_NOTIFY_CONNECTION, &Server::connection_changed, this,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (daemon_ == nullptr)
      return fail("cannot serve metrics on " + settings.host +
                  ": the HTTP server did not start; is there memory and a free descriptor?");
    static_cast<void>(socket->release());  // the daemon's from here on
    return {};
  }

  void stop() {
    const std::lock_guard lock(stop_mutex_);
    if (daemon_ == nullptr) return;
    MHD_stop_daemon(daemon_);
    daemon_ = nullptr;
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set(std::shared_ptr<const MetricBatch> batch) {
    const auto losses = cache_.set(std::move(batch));
    counters_.add(ExportCounter::kExemplarsReplaced, losses.replaced);
    counters_.add(ExportCounter::kExemplarsGivenUp, losses.given_up);
  }

 private:
  static MHD_Result serve(void* self, MHD_Connection* connection, const char* url,
                          const char* method, const char*, const char*, std::size_t* upload_bytes,
                          void** state) {
    // Called once with the headers, and again until the body, which is thrown away, has ended.
    static const char kHeadersSeen = 0;
    if (*state == nullptr) {
      *state = const_cast<char*>(&kHeadersSeen);
      return MHD_YES;
    }
    if (*upload_bytes != 0) {
      *upload_bytes = 0;
      return MHD_YES;
    }
    return static_cast<Server*>(self)->route(connection, url, method);
  }

  MHD_Result route(MHD_Connection* connection, std::string_view path, std::string_view method) {
    const bool known = path == "/metrics" || path == "/healthz" || path == "/readyz" || path == "/";
    if (!known)
      return answer_plain(connection, MHD_HTTP_NOT_FOUND,
                          "not found; there are /metrics, /healthz and /readyz\n");
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      const Response response =
          make_response("only GET and HEAD are served\n", "text/plain; charset=utf-8");
      if (response) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
      return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response);
    }
    if (path == "/metrics") return scrape(connection);
    if (path == "/healthz") return answer_plain(connection, MHD_HTTP_OK, "ok\n");
    if (path == "/readyz") return ready(connection);
    return answer(connection, MHD_HTTP_OK, make_response(kLandingPage, "text/html; charset=utf-8"));
  }

  MHD_Result scrape(MHD_Connection* connection) {
    const ScrapeFormat format =
        negotiate_format(request_header(connection, MHD_HTTP_HEADER_ACCEPT));
    const bool gzipped = accepts_gzip(request_header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    auto body = std::make_unique<std::shared_ptr<const ScrapeBody>>(cache_.get(format, gzipped));
    const ScrapeBody& content = **body;
    // The body lives until its last answer is written, whatever the cache does meanwhile.
    const Response response(MHD_create_response_from_buffer_with_free_callback_cls(
        content.bytes.size(), const_cast<char*>(content.bytes.data()), &Server::release_body,
        body.get()));
    if (!response) return MHD_NO;
    std::ignore = body.release();
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, content_type(format));
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
    if (content.gzipped)
      MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    counters_.add(ExportCounter::kScrapes);
    counters_.add(ExportCounter::kExemplarsOmitted, content.exemplars_omitted);
    return answer(connection, MHD_HTTP_OK, response);
  }

  static void release_body(void* user) {
    const std::unique_ptr<std::shared_ptr<const ScrapeBody>> last(
        static_cast<std::shared_ptr<const ScrapeBody>*>(user));
  }

  MHD_Result ready(MHD_Connection* connection) {
    const Readiness state = readiness_ ? readiness_() : Readiness{};
    if (state.ready) return answer_plain(connection, MHD_HTTP_OK, "ready\n");
    return answer_plain(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "not ready: " + state.reason + "\n");
  }

  // A connection. In open_, or in shut_ once it was told to go.
  struct Peer {
    int fd = -1;
    bool shut = false;
  };
  using Place = std::list<Peer>::iterator;

  // The server's thread. Before the limit is reached the oldest connections are shut, so that a
  // newcomer is always served, however many hold a connection and say nothing.
  static void connection_changed(void* user, MHD_Connection* connection, void** context,
                                 MHD_ConnectionNotificationCode what) {
    auto& self = *static_cast<Server*>(user);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      const auto* known = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      const int fd = known == nullptr ? -1 : known->connect_fd;
      *context = new Place(self.open_.insert(self.open_.end(), Peer{.fd = fd}));
      if (self.open_.size() > self.crowd()) self.shut_oldest();
    } else if (*context != nullptr) {
      const std::unique_ptr<Place> place(static_cast<Place*>(*context));
      ((*place)->shut ? self.shut_ : self.open_).erase(*place);
      *context = nullptr;
    }
  }

  // From here on the oldest make room. The rest up to the limit is for those not yet closed.
  [[nodiscard]] std::size_t crowd() const {
    return std::max<std::size_t>(connection_limit_ - connection_limit_ / 5, 1);
  }

  void shut_oldest() {
    const Place oldest = open_.begin();
    oldest->shut = true;
    ::shutdown(oldest->fd, SHUT_RDWR);  // the daemon sees the end and closes
    shut_.splice(shut_.end(), open_, oldest);
  }

  ExportCounters& counters_;
  const ReadinessCheck readiness_;
  ScrapeCache cache_;
  std::uint16_t port_ = 0;
  unsigned connection_limit_ = 0;
  std::list<Peer> open_;  // the server's thread, as is shut_; oldest first
  std::list<Peer> shut_;
  std::mutex stop_mutex_;
  MHD_Daemon* daemon_ = nullptr;
};

Result<std::unique_ptr<OpenMetricsEndpoint>> OpenMetricsEndpoint::start(
    const EndpointSettings& settings, ExportCounters& counters, ReadinessCheck readiness,
    const LogSink& log) {
  auto server = std::make_unique<Server>(counters, std::move(readiness));
  if (const auto started = server->start(settings, log); !started)
    return std::unexpected(started.error());
  return std::unique_ptr<OpenMetricsEndpoint>(new OpenMetricsEndpoint(std::move(server)));
}

OpenMetricsEndpoint::OpenMetricsEndpoint(std::unique_ptr<Server> server)
    : server_(std::move(server)) {}
OpenMetricsEndpoint::~OpenMetricsEndpoint() = default;

std::uint16_t OpenMetricsEndpoint::port() const {
  return server_->port();
}

void OpenMetricsEndpoint::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  server_->set(std::move(batch));
}

void OpenMetricsEndpoint::shutdown(std::chrono::steady_clock::time_point) {
  server_->stop();
}

}  // namespace exa
