#include "agent/discovery/tls/tls_attacher.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "agent/discovery/base_name.h"
#include "agent/discovery/proc_reader.h"
#include "agent/discovery/running_processes.h"
#include "agent/discovery/tls/process_account.h"

namespace exa {
namespace {

constexpr std::array kLibraryFolders = {
    "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    "/usr/local/lib",        "/usr/local/lib64",
};
constexpr std::array kLibraryNames = {"libssl.so.3", "libssl.so.1.1", "libgnutls.so.30"};

}  // namespace

std::vector<std::string> host_library_paths() {
  std::vector<std::string> paths;
  for (const char* folder : kLibraryFolders)
    for (const char* name : kLibraryNames)
      paths.push_back(std::string(folder) + '/' + name);
  return paths;
}

TlsAttacher::TlsAttacher(Kernel kernel, ForeignFiles foreign, std::vector<std::string> ignored,
                         std::uint32_t own_tgid)
    : kernel_(std::move(kernel)),
      foreign_(std::move(foreign)),
      ignored_(std::make_move_iterator(ignored.begin()), std::make_move_iterator(ignored.end())),
      own_tgid_(own_tgid) {}

TlsAttacher::~TlsAttacher() {
  if (files_.size() == 0) return;
  held_up_by(nullptr, kPatienceToEnd);
  files_.detach_all();
}

std::optional<std::uint32_t> TlsAttacher::held_up_by(const FileIdentity* file, Duration patience) {
  const MemoryLocks locks(kernel_.locked, [this](std::uint32_t tgid, const FileIdentity& mapped) {
    return maps(tgid, mapped);
  });
  return locks.held_after(file, patience);
}

// Where nobody can tell, it does.
bool TlsAttacher::maps(std::uint32_t tgid, const FileIdentity& file) {
  const auto process = open_process(tgid);
  if (!process) return false;
  const auto mapped = foreign_.mapped(tgid, account_of(process->get()).user);
  return !mapped || !mapped->complete ||
         std::ranges::find(mapped->images, file, &MappedImage::file) != mapped->images.end();
}

void TlsAttacher::attach_host_libraries(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid()) continue;
    auto found = foreign_.read(place.get(), nullptr, kSecondLimits, 0);
    if (!found && found.error() == Unread::kHeldUp)
      found = foreign_.read(place.get(), nullptr, kSecondLimits, 0);
    if (!found || !found->plan.readable() || files_.find(found->file) != nullptr) continue;
    if (held_up_by(&found->file, Duration::zero())) {
      ++figures_.attach_postponed;  // until a process is looked at that maps it
      continue;
    }
    auto file = attached(place.get(), found->file, found->plan);
    file.for_good = true;
    files_.add(found->file, std::move(file));
  }
}

ProbedFiles::File TlsAttacher::attached(int place_fd, const FileIdentity& identity,
                                        const AttachPlan& plan) {
  ProbedFiles::File file;
  file.probes = static_cast<std::size_t>(
      std::ranges::count_if(plan.sites, [](const ProbeSite& site) { return !site.tells_table(); }));
  file.library = plan.sites.empty() ? "" : std::string(library_name(plan.sites[0].library));
  file.build_id = plan.build_id;
  auto attachment = kernel_.attach(place_fd, identity, plan);
  if (attachment) {
    file.attachment = std::move(*attachment);
    ++figures_.files_attached;
  } else {
    file.failure = attachment.error().text;
    ++figures_.attach_failures;
  }
  return file;
}

void TlsAttacher::end_tables(MonotonicTime now) {
  if (!tables_until_.known()) tables_until_ = now + kTablesTold;
  if (tables_ended_ || now < tables_until_ || held_up_by(nullptr, Duration::zero())) return;
  tables_ended_ = true;
  if (kernel_.end_tables) kernel_.end_tables();
}

void TlsAttacher::look_at(std::uint32_t tgid, bool speaks_tls, MonotonicTime now) {
  Look looked;
  looked.speaks_tls = speaks_tls;
  look(tgid, std::move(looked), now);
}

void TlsAttacher::search(std::uint32_t tgid, MonotonicTime now) {
  Look looked;
  looked.speaks_tls = looked.thorough = true;
  look(tgid, std::move(looked), now);
}

void TlsAttacher::look(std::uint32_t tgid, Look look, MonotonicTime now) {
  if (tgid == own_tgid_) return;
  if (kernel_.is_excluded(tgid)) return forget(tgid, now);
  ++figures_.looks;
  std::erase_if(looks_, [&](const Waiting& waiting) { return waiting.tgid == tgid; });
  auto process = open_process(tgid);
  if (!process) {
    ++figures_.looks_failed;
    return;
  }
  look.process = std::move(*process);
  look.executable = read_exe(look.process.get()).path;
  look.told_by = look.executable;
  if (ignored_.contains(base_name(look.executable))) {
    if (!look.speaks_tls) return;
    look.uses.push_back({.path = look.executable,
                         .library = "",
                         .build_id = "",
                         .reason = "ignored by configuration"});
    return finish(tgid, look, now);
  }
  const auto account = account_of(look.process.get());
  look.owner = account.user;
  look.account = account.name;
  auto mapped = foreign_.mapped(tgid, look.owner);
  if (!mapped) {
    ++(mapped.error() == Unread::kHeldUp ? figures_.files_held_up : figures_.files_unread);
    look.uses.push_back({.path = look.executable,
                         .library = "",
                         .build_id = "",
                         .reason = std::string(sentence(mapped.error()))});
    return finish(tgid, look, now);
  }
  if (mapped->images.empty()) {
    ++figures_.looks_failed;
    return;
  }
  for (MappedImage& image : mapped->images)
    if (!settle(tgid, look, image)) look.unread.push_back(std::move(image));
  if (look.unread.empty()) return finish(tgid, look, now);
  if (looks_.size() >= kMaxLooks) {
    figures_.files_unread += look.unread.size();
    return finish(tgid, look, now);
  }
  remember(tgid, look);
  looks_.push_back({tgid, std::move(look)});
}

// Whether nothing is left to be read for this file.
bool TlsAttacher::settle(std::uint32_t tgid, Look& look, const MappedImage& image) {
  if (!is_read_by_the_kernel_alone(image.file_system)) {
    ++figures_.files_refused;
    leave_out(look, image, refusal(image.file_system));
    return true;
  }
  // A write that nobody told of (through a mapping): its time or size has changed all the same.
  figures_.files_written += files_.forget_former(image.file);
  if (auto* const file = files_.find(image.file)) {
    hold(tgid, look, image, *file);
    return true;
  }
  const auto plan = plans_.find(image.file);
  if (!plan || plan->readable()) return false;
  if (look.thorough && !plan->searched && plan->verdict == TlsVerdict::kNoLibrary) return false;
  take_verdict(look, image, *plan);
  return true;
}

void TlsAttacher::take_verdict(Look& look, const MappedImage& image, const AttachPlan& plan) {
  if (image.is_program) kernel_.mark_dull(image.program_device, image.program_inode);
  if (const auto more = more_telling(look.verdict, plan.verdict); more != look.verdict) {
    look.verdict = more;
    look.told_by = image.path;
  }
}

void TlsAttacher::hold(std::uint32_t tgid, Look& look, const MappedImage& image,
                       ProbedFiles::File& file) {
  file.holders.insert(tgid);
  look.held.insert(image.file);
  look.uses.push_back(
      {.path = image.path,
       .library = file.library,
       .build_id = file.build_id,
       .reason = file.failure.empty() ? std::string(sentence(TlsVerdict::kReadable)) : file.failure,
       .probes = file.failure.empty() ? file.probes : 0});
}

void TlsAttacher::leave_out(Look& look, const MappedImage& image, const std::string& reason) {
  if (look.left_out.empty()) look.left_out_path = image.path;
  ++look.left_out[reason];
}

void TlsAttacher::take_turn(MonotonicTime now) {
  std::vector<ReadingTurns::Candidate> candidates;
  candidates.reserve(looks_.size());
  for (const Waiting& waiting : looks_)
    candidates.push_back({.tgid = waiting.tgid, .owner = waiting.look.owner});
  const auto at = turns_.next(candidates, now);
  auto& [tgid, look] = looks_.at(at);
  if (turns_.spent(tgid)) {
    for (const auto* const queue : {&look.unread, &look.slow})
      for (const MappedImage& image : *queue) {
        ++figures_.files_over_budget;
        leave_out(look, image,
                  "reading this process's files exceeded the time allowed for one process");
      }
    look.unread.clear();
    look.slow.clear();
  }
  const bool again = look.unread.empty();
  auto& queue = again ? look.slow : look.unread;
  if (!queue.empty()) {
    const MappedImage image = std::move(queue.front());
    queue.pop_front();
    // Others may have had it read since.
    if (!settle(tgid, look, image)) {
      const auto begin = monotonic_now();
      read(tgid, look, image, again);
      turns_.charge(candidates[at], elapsed(begin, monotonic_now()));
    }
  }
  if (!look.unread.empty() || !look.slow.empty()) return remember(tgid, look);
  const Waiting done = std::move(looks_.at(at));
  looks_.erase(looks_.begin() + static_cast<std::ptrdiff_t>(at));
  finish(done.tgid, done.look, now);
}

void TlsAttacher::read(std::uint32_t tgid, Look& look, const MappedImage& image, bool again) {
  const auto place = foreign_.place(look.process.get(), image, look.owner);
  if (place && !place->valid()) return;  // unmapped since, or the process is gone
  auto limits = again ? kSecondLimits : kFirstLimits;
  limits.thorough = look.thorough;
  const auto found = place ? foreign_.read(place->get(), &image.file, limits, look.owner)
                           : std::unexpected(place.error());
  if (!found) {
    const bool held_up = found.error() == Unread::kHeldUp;
    ++(held_up ? figures_.files_held_up : figures_.files_unread);
    // A slow disk or a busy machine: another time it may be there.
    if (place && held_up && !again) return look.slow.push_back(image);
    // Not once more for whoever else maps it. A place is held up by the process and not by the
    // file.
    if (place && held_up)
      plans_.remember(image.file, std::make_shared<const AttachPlan>(
                                      AttachPlan{TlsVerdict::kHeldUp, {}, {}, {}}));
    leave_out(look, image, std::string(sentence(found.error())));
    return;
  }
  if (found->plan.verdict == TlsVerdict::kOverLimit && !again) {
    look.slow.push_back(image);
    return;
  }
  plans_.remember(image.file, std::make_shared<const AttachPlan>(found->plan));
  if (found->plan.readable())
    probe(tgid, look, image, place->get(), found->plan);
  else
    take_verdict(look, image, found->plan);
}

void TlsAttacher::probe(std::uint32_t tgid, Look& look, const MappedImage& image, int place_fd,
                        const AttachPlan& plan) {
  switch (files_.room_for(tgid, look.account)) {
    case ProbedFiles::Room::kThere:
      break;
    case ProbedFiles::Room::kProcessFull:
      ++figures_.files_over_share;
      return leave_out(look, image,
                       "not probed: this process has used up its share of " +
                           std::to_string(ProbedFiles::kMaxOfProcess) + " probed files");
    case ProbedFiles::Room::kAccountFull:
      ++figures_.files_over_share;
      return leave_out(look, image,
                       "not probed: its user or container has used up its share of " +
                           std::to_string(ProbedFiles::kMaxOfAccount) + " probed files");
    case ProbedFiles::Room::kAllFull:
      ++figures_.files_over_limit;
      return leave_out(
          look, image,
          "not probed: " + std::to_string(ProbedFiles::kMaxFiles) + " files already have probes");
  }
  if (const auto holder = held_up_by(&image.file, Duration::zero())) {
    ++figures_.attach_postponed;
    return leave_out(look, image,
                     "not probed yet: process " + std::to_string(*holder) +
                         " holds its memory lock, and every fork on the host would wait for it");
  }
  auto file = attached(place_fd, image.file, plan);
  file.payer = tgid;
  file.account = look.account;
  hold(tgid, look, image, files_.add(image.file, std::move(file)));
}

void TlsAttacher::remember(std::uint32_t tgid, const Look& look) {
  TlsProcess seen{.tgid = tgid, .executable = look.executable, .uses = look.uses};
  const bool speaks = look.verdict != TlsVerdict::kNoLibrary || look.speaks_tls;
  for (const auto& [reason, count] : look.left_out)
    seen.uses.push_back(
        {.path = look.left_out_path,
         .library = "",
         .build_id = "",
         .reason = count == 1 ? reason : reason + "; " + std::to_string(count) + " files"});
  if (const auto waiting = look.unread.size() + look.slow.size(); waiting > 0)
    seen.uses.push_back({.path = look.executable,
                         .library = "",
                         .build_id = "",
                         .reason = std::to_string(waiting) + " files are waiting to be "
                                                             "read"});
  // Beside a library that is probed, too: it may be linked in and idle.
  if (is_unreadable_library(look.verdict) || (seen.uses.empty() && speaks))
    seen.uses.push_back({.path = look.told_by,
                         .library = "",
                         .build_id = "",
                         .reason = std::string(sentence(look.verdict))});
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

void TlsAttacher::finish(std::uint32_t tgid, const Look& look, MonotonicTime now) {
  // Another program than the one looked at before may run under this pid.
  files_.release(tgid, look.held, now);
  remember(tgid, look);
}

void TlsAttacher::forget(std::uint32_t tgid, MonotonicTime now) {
  std::erase_if(looks_, [&](const Waiting& waiting) { return waiting.tgid == tgid; });
  turns_.forget(tgid);
  files_.release(tgid, {}, now);
  processes_.erase(tgid);
}

void TlsAttacher::forget_written(MonotonicTime now) {
  std::set<std::uint32_t> holders;
  for (const FileIdentity& identity : kernel_.written()) {
    ++figures_.files_written;
    const auto* const file = files_.find(identity);
    if (file == nullptr) continue;
    holders.insert(file->holders.begin(), file->holders.end());
    files_.forget(identity);
  }
  for (const auto tgid : holders)
    if (!is_gone(tgid)) look_at(tgid, false, now);
}

void TlsAttacher::tidy(MonotonicTime now) {
  std::set<std::uint32_t> gone;
  for (const auto& [tgid, process] : processes_)
    if (is_gone(tgid)) gone.insert(tgid);
  for (const auto& [identity, file] : files_.all())
    for (const auto tgid : file.holders)
      if (!processes_.contains(tgid) && is_gone(tgid)) gone.insert(tgid);
  for (const auto tgid : gone)
    forget(tgid, now);
  figures_.files_detached += files_.detach_unheld(
      now, [this](const FileIdentity& file) { return !held_up_by(&file, Duration::zero()); });
}

}  // namespace exa
