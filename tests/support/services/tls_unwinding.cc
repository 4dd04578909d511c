// Leaves the read of a TLS library as few programs do, and prints what became of it:
//   tls_unwinding coroutines PORT N  eight connections in one thread; whoever has to wait within
//   the
//                                    library gives its stack up to the next: "N answers" each
//   tls_unwinding throw PORT N       an exception passes through the library before each answer
//   tls_unwinding jump PORT N        the same by longjmp
//   tls_unwinding cancel PORT 1      a thread is cancelled in the library: its destructors run
// Links OpenSSL without its headers.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" {
struct SSL;
struct SSL_CTX;
struct SSL_METHOD;
struct BIO;
struct BIO_METHOD;
const SSL_METHOD* TLS_client_method();
SSL_CTX* SSL_CTX_new(const SSL_METHOD*);
SSL* SSL_new(SSL_CTX*);
void SSL_set_bio(SSL*, BIO*, BIO*);
int SSL_connect(SSL*);
int SSL_read(SSL*, void*, int);
int SSL_write(SSL*, const void*, int);
BIO_METHOD* BIO_meth_new(int, const char*);
int BIO_get_new_index();
int BIO_meth_set_read(BIO_METHOD*, int (*)(BIO*, char*, int));
int BIO_meth_set_write(BIO_METHOD*, int (*)(BIO*, const char*, int));
int BIO_meth_set_ctrl(BIO_METHOD*, long (*)(BIO*, int, long, void*));
BIO* BIO_new(const BIO_METHOD*);
void BIO_set_data(BIO*, void*);
void* BIO_get_data(BIO*);
void BIO_set_init(BIO*, int);
}

namespace {

constexpr int kCoroutines = 8;
constexpr std::size_t kStackBytes = 256 * 1024;
constexpr int kFlush = 11;  // BIO_CTRL_FLUSH

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  bool coroutine = false;
  ucontext_t context{};
  bool done = false;
  int answers = 0;
};

enum class Exit { kReturn, kThrow, kJump };
Exit next_exit = Exit::kReturn;
std::jmp_buf outside;
ucontext_t scheduler;
Connection* running = nullptr;
int requests = 0;
sem_t waits;  // posted by whoever is about to wait for its socket

// Leaves the library, or waits for the socket in the way of this connection.
void wait_for(const Connection& connection, short events) {
  switch (std::exchange(next_exit, Exit::kReturn)) {
    case Exit::kThrow:
      throw std::runtime_error("thrown through the library");
    case Exit::kJump:
      std::longjmp(outside, 1);
    case Exit::kReturn:
      break;
  }
  if (connection.coroutine) {
    Connection* const self = running;
    swapcontext(&self->context, &scheduler);
    running = self;
    return;
  }
  sem_post(&waits);
  pollfd socket{.fd = connection.fd, .events = events, .revents = 0};
  poll(&socket, 1, -1);
}

int read_socket(BIO* bio, char* to, int size) {
  const auto& connection = *static_cast<Connection*>(BIO_get_data(bio));
  if (next_exit != Exit::kReturn) wait_for(connection, POLLIN);
  for (;;) {
    const auto got = read(connection.fd, to, static_cast<std::size_t>(size));
    if (got >= 0 || errno != EAGAIN) return static_cast<int>(got);
    wait_for(connection, POLLIN);
  }
}
int write_socket(BIO* bio, const char* from, int size) {
  const auto& connection = *static_cast<Connection*>(BIO_get_data(bio));
  return static_cast<int>(write(connection.fd, from, static_cast<std::size_t>(size)));
}
long control(BIO*, int command, long, void*) {
  return command == kFlush ? 1 : 0;
}

void connect_to(Connection& connection, int port) {
  static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | 0x400, "waiting");
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  connection.fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(port));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection.fd, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0)
    std::exit(2);
  fcntl(connection.fd, F_SETFL, O_NONBLOCK);
  connection.ssl = SSL_new(context);
  BIO* const bio = BIO_new(method);
  BIO_set_data(bio, &connection);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection.ssl, bio, bio);
}

void ask(Connection& connection) {
  char request[] = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n";
  if (SSL_write(connection.ssl, request, static_cast<int>(std::strlen(request))) <= 0) std::exit(3);
}
void read_answer(Connection& connection) {
  char answer[8192];
  if (SSL_read(connection.ssl, answer, sizeof answer) > 0) ++connection.answers;
}

void serve_coroutine() {
  Connection& connection = *running;
  if (SSL_connect(connection.ssl) != 1) std::exit(4);
  for (int i = 0; i < requests; ++i) {
    ask(connection);
    read_answer(connection);
  }
  connection.done = true;
  swapcontext(&connection.context, &scheduler);
}

void run_coroutines(int port) {
  std::vector<Connection> connections(kCoroutines);
  std::vector<std::vector<char>> stacks(kCoroutines, std::vector<char>(kStackBytes));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    auto& connection = connections[i];
    connection.coroutine = true;
    connect_to(connection, port);
    getcontext(&connection.context);
    connection.context.uc_stack.ss_sp = stacks[i].data();
    connection.context.uc_stack.ss_size = kStackBytes;
    makecontext(&connection.context, serve_coroutine, 0);
  }
  for (bool any = true; any;) {
    any = false;
    for (auto& connection : connections) {
      if (connection.done) continue;
      any = true;
      running = &connection;
      swapcontext(&scheduler, &connection.context);
    }
  }
  for (const auto& connection : connections)
    std::printf("%d answers\n", connection.answers);
}

void run_exits(int port, Exit exit) {
  static Connection connection;
  connect_to(connection, port);
  if (SSL_connect(connection.ssl) != 1) std::exit(4);
  for (static int i = 0; i < requests; ++i) {
    ask(connection);
    next_exit = exit;
    if (exit == Exit::kJump) {
      if (setjmp(outside) == 0) read_answer(connection);
    } else {
      try {
        read_answer(connection);
      } catch (const std::runtime_error&) {
      }
    }
    read_answer(connection);
  }
  std::printf("%d answers\n", connection.answers);
}

struct Witness {
  ~Witness() { std::printf("destructor "); }
};
void* read_until_cancelled(void* connection) {
  const Witness witness;
  read_answer(*static_cast<Connection*>(connection));  // nobody asked
  return nullptr;
}

void run_cancelled(int port) {
  static Connection connection;
  connect_to(connection, port);
  if (SSL_connect(connection.ssl) != 1) std::exit(4);
  ask(connection);
  read_answer(connection);
  sem_init(&waits, 0, 0);
  pthread_t thread;
  pthread_create(&thread, nullptr, read_until_cancelled, &connection);
  timespec deadline{};
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 10;
  if (sem_timedwait(&waits, &deadline) != 0) std::exit(5);
  pthread_cancel(thread);
  void* result = nullptr;
  pthread_join(thread, &result);
  std::printf(result == PTHREAD_CANCELED ? "cancelled\n" : "returned\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 1;
  const std::string how = arguments[1];
  const int port = std::atoi(arguments[2]);
  requests = std::atoi(arguments[3]);
  if (how == "coroutines") run_coroutines(port);
  if (how == "throw") run_exits(port, Exit::kThrow);
  if (how == "jump") run_exits(port, Exit::kJump);
  if (how == "cancel") run_cancelled(port);
  return 0;
}
