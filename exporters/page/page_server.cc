#include "exporters/page/page_server.h"

#include <microhttpd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <string_view>
#include <tuple>

#include "exa/base/signals_blocked.h"
#include "exporters/page/listen_socket.h"

namespace exa {
namespace {

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

Response response_of(const PageAnswer& answer) {
  auto owner = std::make_unique<std::shared_ptr<const void>>(answer.owner);
  const auto release = [](void* user) {
    const std::unique_ptr<std::shared_ptr<const void>> last(
        static_cast<std::shared_ptr<const void>*>(user));
  };
  Response response(MHD_create_response_from_buffer_with_free_callback_cls(
      answer.body.size(), const_cast<char*>(answer.body.data()), release, owner.get()));
  if (!response) return response;
  std::ignore = owner.release();
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response.get(), name, value);
  return response;
}

// What there is, as a sentence and as a page; of routes that are there from the start.
std::string not_found_text(const std::vector<Route>& routes) {
  std::string paths;
  for (const Route& route : routes) {
    if (!paths.empty()) paths += &route == &routes.back() ? " and " : ", ";
    paths += route.path;
  }
  return "not found; available are " + paths + "\n";
}

std::string front_page(const std::vector<Route>& routes) {
  std::string page =
      "<!doctype html>\n<html><head><title>exemplar-agent</title></head>\n"
      "<body><h1>exemplar-agent</h1>\n<ul>\n";
  for (const Route& route : routes)
    page += "<li><a href=\"" + route.path + "\">" + route.path + "</a>: " + route.what + "</li>\n";
  return page + "</ul></body></html>\n";
}

}  // namespace

std::string_view PageRequest::header(const char* name) const {
  const char* value = MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : value;
}

PageAnswer text_answer(unsigned status, std::string text, const char* content_type) {
  const auto owner = std::make_shared<const std::string>(std::move(text));
  return {.status = status,
          .headers = {{MHD_HTTP_HEADER_CONTENT_TYPE, content_type},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = *owner,
          .owner = owner};
}

class PageServer::Daemon {
 public:
  explicit Daemon(std::vector<Route> routes)
      : not_found_(not_found_text(routes)),
        front_page_(front_page(routes)),
        routes_(std::move(routes)) {}
  ~Daemon() { stop(); }

  Result<> start(const PageSettings& settings, const LogSink& log) {
    auto socket = listen_on(settings.host, settings.port);
    if (!socket) return std::unexpected(socket.error());
    port_ = bound_port(*socket);
    connection_limit_ = affordable_connections(settings.connections);
    if (connection_limit_ < settings.connections && log)
      log(LogLevel::kInfo, "the metrics endpoint serves at most " +
                               std::to_string(connection_limit_) +
                               " connections at once: the open-file limit (ulimit -n) leaves "
                               "no room for more");
    const SignalsBlocked blocked;  // inherited by the server's thread
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, &Daemon::serve, this,
        MHD_OPTION_LISTEN_SOCKET, socket->get(), MHD_OPTION_CONNECTION_LIMIT, connection_limit_,
        MHD_OPTION_CONNECTION_TIMEOUT, settings.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        settings.connection_bytes, MHD_OPTION_NOTIFY_CONNECTION, &Daemon::connection_changed, this,
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
    return static_cast<Daemon*>(self)->route(connection, url, method);
  }

  MHD_Result route(MHD_Connection* connection, std::string_view path, std::string_view method) {
    const auto route = std::ranges::find(routes_, path, &Route::path);
    if (route == routes_.end() && path != "/")
      return queue(connection, text_answer(MHD_HTTP_NOT_FOUND, not_found_));
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      auto refusal = text_answer(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are supported\n");
      refusal.headers.emplace_back(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
      return queue(connection, refusal);
    }
    if (route != routes_.end()) return queue(connection, route->answer(PageRequest(connection)));
    return queue(connection, text_answer(MHD_HTTP_OK, front_page_, "text/html; charset=utf-8"));
  }

  static MHD_Result queue(MHD_Connection* connection, const PageAnswer& answer) {
    const Response response = response_of(answer);
    return response ? MHD_queue_response(connection, answer.status, response.get()) : MHD_NO;
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
    auto& self = *static_cast<Daemon*>(user);
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

  const std::string not_found_;
  const std::string front_page_;
  const std::vector<Route> routes_;
  std::uint16_t port_ = 0;
  unsigned connection_limit_ = 0;
  std::list<Peer> open_;  // the server's thread, as is shut_; oldest first
  std::list<Peer> shut_;
  std::mutex stop_mutex_;
  MHD_Daemon* daemon_ = nullptr;
};

Result<std::unique_ptr<PageServer>> PageServer::start(const PageSettings& settings,
                                                      std::vector<Route> routes,
                                                      const LogSink& log) {
  auto daemon = std::make_unique<Daemon>(std::move(routes));
  if (const auto started = daemon->start(settings, log); !started)
    return std::unexpected(started.error());
  return std::unique_ptr<PageServer>(new PageServer(std::move(daemon)));
}

PageServer::PageServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
PageServer::~PageServer() = default;

std::uint16_t PageServer::port() const {
  return daemon_->port();
}

void PageServer::stop() {
  daemon_->stop();
}

}  // namespace exa
