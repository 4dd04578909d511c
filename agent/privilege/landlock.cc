#include "agent/privilege/landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/privilege/replaceable_file.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

// linux/landlock.h as of version 7; Debian 12's header ends at 2. The calls have one number on
// every architecture.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kTellVersion = 1;
constexpr unsigned kPathBeneath = 1;
constexpr unsigned kNetPort = 2;

constexpr std::uint64_t kReadFile = 1u << 2;
constexpr std::uint64_t kFileRights1 = (1u << 13) - 1;  // execute, write, read, make, remove
constexpr std::uint64_t kRefer = 1u << 13;              // 2
constexpr std::uint64_t kTruncate = 1u << 14;           // 3
constexpr std::uint64_t kIoctlDevice = 1u << 15;        // 5
constexpr std::uint64_t kBindTcp = 1u << 0;             // 4
constexpr std::uint64_t kConnectTcp = 1u << 1;          // 4
constexpr std::uint64_t kScopes = 3;                    // 6: abstract sockets, signals

struct Ruleset {
  std::uint64_t handled_files = 0;
  std::uint64_t handled_ports = 0;
  std::uint64_t scoped = 0;
};

struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed = 0;
  std::int32_t parent = -1;
};

struct NetPort {
  std::uint64_t allowed = 0;
  std::uint64_t port = 0;
};

// Where glibc, OpenSSL and the clock look; what of it is not there is no loss. Hashed links to
// certificates lead into the last three.
constexpr const char* kSystemFiles[] = {"/etc/resolv.conf",
                                        "/etc/hosts",
                                        "/etc/host.conf",
                                        "/etc/nsswitch.conf",
                                        "/etc/gai.conf",
                                        "/etc/services",
                                        "/etc/localtime",
                                        "/usr/lib/ssl/openssl.cnf",
                                        "/etc/pki/tls/openssl.cnf",
                                        "/etc/crypto-policies",
                                        "/usr/share/crypto-policies",
                                        "/etc/ssl/certs",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates"};

class Rules {
 public:
  explicit Rules(int version) {
    wanted_.handled_files = kFileRights1 | (version >= 2 ? kRefer : 0) |
                            (version >= 3 ? kTruncate : 0) | (version >= 5 ? kIoctlDevice : 0);
    if (version >= 4) wanted_.handled_ports = kBindTcp | kConnectTcp;
    if (version >= 6) wanted_.scoped = kScopes;
    // A kernel refuses a structure whose unknown part is not 0, so one size fits all.
    fd_ = UniqueFd(static_cast<int>(syscall(kCreateRuleset, &wanted_, sizeof wanted_, 0)));
    if (!fd_.valid()) error_ = errno;
  }

  // A file, or a folder with all beneath it.
  void may_read(const std::string& path) {
    const UniqueFd place(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid()) return;
    const PathBeneath rule{.allowed = kReadFile, .parent = place.get()};
    add(kPathBeneath, &rule);
  }

  void may_use(std::uint64_t right, std::uint16_t port) {
    if (wanted_.handled_ports == 0) return;
    const NetPort rule{.allowed = right, .port = port};
    add(kNetPort, &rule);
  }

  Result<> enforce() {
    if (error_ == 0 && syscall(kRestrictSelf, fd_.get(), 0) != 0) error_ = errno;
    if (error_ != 0) return fail_errno("cannot confine the pipeline with Landlock", error_);
    return {};
  }

 private:
  void add(unsigned type, const void* rule) {
    if (error_ == 0 && syscall(kAddRule, fd_.get(), type, rule, 0) != 0) error_ = errno;
  }

  Ruleset wanted_;
  UniqueFd fd_;
  int error_ = 0;
};

}  // namespace

Result<int> landlock_version() {
  const long version = syscall(kCreateRuleset, nullptr, 0, kTellVersion);
  if (version > 0) return static_cast<int>(version);
  const int error = errno;
  if (error == ENOSYS) return fail("this kernel is older than 5.13 or built without Landlock");
  if (error == EOPNOTSUPP)
    return fail("Landlock is not among this kernel's security modules (lsm= at boot)");
  return fail_errno("Landlock is not permitted here", error);
}

Result<> restrict_by_landlock(int version, const PipelineReach& reach) {
  Rules rules(version);
  for (const auto* const path : kSystemFiles)
    rules.may_read(path);
  // A rule holds for one file; what may come in its place lies in the same folder. A folder has in
  // it what comes.
  const auto may_read_again = [&](const std::string& path) {
    rules.may_read(path);
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return;
    for (const auto& folder : folders_of(path))
      rules.may_read(folder);
  };
  for (const auto& path : reach.files)
    may_read_again(path);
  // The next DHCP lease replaces the one, an administrator the other.
  for (const auto* const path : {"/etc/resolv.conf", "/etc/hosts"})
    if (reach.resolves_names && !stays_in_place(path)) may_read_again(path);
  if (reach.listen_port) rules.may_use(kBindTcp, *reach.listen_port);
  for (const auto port : reach.connect_ports)
    rules.may_use(kConnectTcp, port);
  if (reach.resolves_names) rules.may_use(kConnectTcp, 53);  // an answer too long for UDP
  return rules.enforce();
}

}  // namespace exa
