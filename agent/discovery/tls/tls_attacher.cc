#include "agent/discovery/tls/tls_attacher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <thread>
#include <utility>

#include "agent/discovery/tls/mapped_images.h"

namespace exa {
namespace {

constexpr std::array kLibraryFolders = {
    "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    "/usr/local/lib",        "/usr/local/lib64",
};
constexpr std::array kLibraryNames = {"libssl.so.3", "libssl.so.1.1", "libgnutls.so.30"};

std::string name_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// The executable is the first image that is not a library by its name.
bool looks_like_library(const std::string& path) {
  const auto name = name_of(path);
  return name.find(".so") != std::string::npos || name.starts_with("ld-linux");
}

bool is_gone(std::uint32_t tgid) {
  return ::kill(static_cast<pid_t>(tgid), 0) != 0 && errno == ESRCH;
}

}  // namespace

std::string_view library_name(TlsLibrary library) {
  switch (library) {
    case TlsLibrary::kOpenSsl:
      return "OpenSSL";
    case TlsLibrary::kBoringSsl:
      return "BoringSSL";
    case TlsLibrary::kGnuTls:
      return "GnuTLS";
    case TlsLibrary::kGo:
      return "Go crypto/tls";
  }
  return "";
}

TlsAttacher::TlsAttacher(Kernel kernel, std::vector<std::string> ignored, std::uint32_t own_tgid)
    : kernel_(std::move(kernel)),
      ignored_(std::make_move_iterator(ignored.begin()), std::make_move_iterator(ignored.end())),
      own_tgid_(own_tgid) {}

TlsAttacher::~TlsAttacher() {
  constexpr std::size_t kThreads = 16;
  std::array<std::vector<Attachment>, kThreads> shares;
  std::size_t next = 0;
  for (auto& [identity, file] : files_)
    if (file.attachment) shares[next++ % kThreads].push_back(std::move(file.attachment));
  std::vector<std::jthread> threads;
  for (auto& share : shares)
    if (!share.empty()) threads.emplace_back([&share] { share.clear(); });
}

std::vector<std::string> host_library_paths() {
  std::vector<std::string> paths;
  for (const char* folder : kLibraryFolders)
    for (const char* name : kLibraryNames)
      paths.push_back(std::string(folder) + '/' + name);
  return paths;
}

void TlsAttacher::attach_host_libraries() {
  for (const std::string& path : host_library_paths()) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) continue;
    const auto plan = plans_.plan_of(file.get());
    const auto reader = BoundedReader::open(file.get(), {});
    if (!plan || !plan->readable() || !reader) continue;
    if (auto* attached = attach(file.get(), reader->identity(), *plan)) attached->for_good = true;
  }
}

TlsAttacher::AttachedFile* TlsAttacher::attach(int file_fd, const FileIdentity& identity,
                                               const AttachPlan& plan) {
  const auto known = files_.find(identity);
  if (known != files_.end()) return &known->second;
  if (files_.size() >= kMaxFiles) {
    ++figures_.files_over_limit;
    return nullptr;
  }
  AttachedFile file;
  file.probes = plan.sites.size();
  auto attachment = kernel_.attach(file_fd, plan);
  if (attachment) {
    file.attachment = std::move(*attachment);
    ++figures_.files_attached;
  } else {
    file.failure = attachment.error().text;
    ++figures_.attach_failures;
  }
  return &files_.emplace(identity, std::move(file)).first->second;
}

void TlsAttacher::look_at(std::uint32_t tgid, bool speaks_tls, MonotonicTime now) {
  if (tgid == own_tgid_) return;
  if (kernel_.is_excluded(tgid)) return forget(tgid, now);
  ++figures_.looks;
  const auto process = open_process(tgid);
  const auto mapped = process ? read_mapped_images(process->get())
                              : Result<MappedImages>(std::unexpected(process.error()));
  if (!mapped || mapped->images.empty()) {
    ++figures_.looks_failed;
    return;
  }

  TlsProcess seen{.tgid = tgid, .executable = mapped->images.front().path, .uses = {}};
  for (const MappedImage& image : mapped->images) {
    if (looks_like_library(image.path)) continue;
    seen.executable = image.path;
    break;
  }
  std::set<FileIdentity> held;
  if (ignored_.contains(name_of(seen.executable))) {
    if (!speaks_tls) return;
    seen.uses.push_back({.path = seen.executable,
                         .library = "",
                         .build_id = "",
                         .reason = "ignored by configuration",
                         .probes = 0});
  } else {
    TlsVerdict verdict = TlsVerdict::kNoLibrary;
    std::string told_by = seen.executable;
    for (const MappedImage& image : mapped->images) {
      const auto file = open_mapped_image(process->get(), image);
      if (!file) continue;
      const auto plan = plans_.plan_of(file->get());
      if (!plan) continue;
      if (!plan->readable()) {
        struct stat status{};
        if (image.path == seen.executable && ::fstat(file->get(), &status) == 0)
          kernel_.mark_dull(status.st_dev, status.st_ino);
        if (const auto more = more_telling(verdict, plan->verdict); more != verdict) {
          verdict = more;
          told_by = image.path;
        }
        continue;
      }
      const auto reader = BoundedReader::open(file->get(), {});
      if (!reader) continue;
      auto* attached = attach(file->get(), reader->identity(), *plan);
      if (!attached) continue;
      attached->holders.insert(tgid);
      held.insert(reader->identity());
      seen.uses.push_back(
          {.path = image.path,
           .library = plan->sites.empty() ? "" : std::string(library_name(plan->sites[0].library)),
           .build_id = plan->build_id,
           .reason =
               attached->failure.empty() ? std::string(sentence(plan->verdict)) : attached->failure,
           .probes = attached->failure.empty() ? attached->probes : 0});
    }
    const bool worth_telling = verdict != TlsVerdict::kNoLibrary || speaks_tls;
    if (seen.uses.empty() && worth_telling)
      seen.uses.push_back({.path = told_by,
                           .library = "",
                           .build_id = "",
                           .reason = std::string(sentence(verdict)),
                           .probes = 0});
  }
  // Another program than the one looked at before may run under this pid.
  release(tgid, held, now);
  if (seen.uses.empty()) {
    processes_.erase(tgid);
    return;
  }
  if (processes_.size() >= kMaxProcesses && !processes_.contains(tgid)) {
    ++figures_.processes_over_limit;
    return;
  }
  processes_[tgid] = std::move(seen);
}

void TlsAttacher::release(std::uint32_t tgid, const std::set<FileIdentity>& still,
                          MonotonicTime now) {
  for (auto& [identity, file] : files_)
    if (!still.contains(identity) && file.holders.erase(tgid) && file.holders.empty())
      file.unheld_since = now;
}

void TlsAttacher::forget(std::uint32_t tgid, MonotonicTime now) {
  release(tgid, {}, now);
  processes_.erase(tgid);
}

void TlsAttacher::tidy(MonotonicTime now) {
  std::set<std::uint32_t> gone;
  for (const auto& [tgid, process] : processes_)
    if (is_gone(tgid)) gone.insert(tgid);
  for (const auto& [identity, file] : files_)
    for (const auto tgid : file.holders)
      if (!processes_.contains(tgid) && is_gone(tgid)) gone.insert(tgid);
  for (const auto tgid : gone)
    forget(tgid, now);

  for (auto file = files_.begin(); file != files_.end();) {
    const bool unheld = !file->second.for_good && file->second.holders.empty();
    if (unheld && elapsed(file->second.unheld_since, now) >= kDetachAfter) {
      if (file->second.attachment) ++figures_.files_detached;
      file = files_.erase(file);
    } else {
      ++file;
    }
  }
}

}  // namespace exa
