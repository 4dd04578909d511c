#include "agent/discovery/tls/probed_files.h"

#include <array>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

namespace exa {
namespace {

void drop_side_by_side(std::vector<ProbedFiles::Attachment> attachments) {
  constexpr std::size_t kThreads = 16;
  std::array<std::vector<ProbedFiles::Attachment>, kThreads> shares;
  std::size_t next = 0;
  for (auto& attachment : attachments)
    shares.at(next++ % kThreads).push_back(std::move(attachment));
  attachments.clear();
  std::vector<std::jthread> threads;
  for (auto& share : shares)
    if (!share.empty()) threads.emplace_back([&share] { share.clear(); });
}

}  // namespace

ProbedFiles::File* ProbedFiles::find(const FileIdentity& file) {
  const auto found = files_.find(file);
  return found == files_.end() ? nullptr : &found->second;
}

ProbedFiles::Room ProbedFiles::room_for(std::uint32_t tgid, const std::string& account) {
  std::size_t of_process = 0;
  std::size_t of_account = 0;
  auto idle = files_.end();
  for (auto at = files_.begin(); at != files_.end(); ++at) {
    const File& file = at->second;
    if (file.for_good) continue;
    of_process += file.payer == tgid ? 1 : 0;
    of_account += file.account == account ? 1 : 0;
    if (file.holders.empty() &&
        (idle == files_.end() || file.unheld_since < idle->second.unheld_since))
      idle = at;
  }
  if (of_process >= kMaxOfProcess) return Room::kProcessFull;
  if (of_account >= kMaxOfAccount && detach_unheld_of(account) == 0) return Room::kAccountFull;
  if (files_.size() < kMaxFiles) return Room::kThere;
  if (idle == files_.end()) return Room::kAllFull;
  files_.erase(idle);
  return Room::kThere;
}

// All at once: the kernel waits once for the lot of them.
std::size_t ProbedFiles::detach_unheld_of(const std::string& account) {
  return detach_if([&](const FileIdentity&, const File& file) { return file.account == account; });
}

ProbedFiles::File& ProbedFiles::add(const FileIdentity& identity, File file) {
  return files_.insert_or_assign(identity, std::move(file)).first->second;
}

std::size_t ProbedFiles::forget_former(const FileIdentity& now) {
  std::size_t count = 0;
  auto at = files_.lower_bound({.device = now.device, .inode = now.inode});
  while (at != files_.end() && at->first.device == now.device && at->first.inode == now.inode) {
    const bool former = at->first != now;
    at = former ? files_.erase(at) : std::next(at);
    count += former ? 1 : 0;
  }
  return count;
}

void ProbedFiles::release(std::uint32_t tgid, const std::set<FileIdentity>& still,
                          MonotonicTime now) {
  for (auto& [identity, file] : files_) {
    if (still.contains(identity) || file.holders.erase(tgid) == 0) continue;
    if (file.holders.empty())
      file.unheld_since = now;
    else if (file.payer == tgid)
      file.payer = *file.holders.begin();
  }
}

std::size_t ProbedFiles::detach_unheld(MonotonicTime now, const MayGo& may_go) {
  return detach_if([&](const FileIdentity& identity, const File& file) {
    return elapsed(file.unheld_since, now) >= kDetachAfter && may_go(identity);
  });
}

template <typename Chosen>
std::size_t ProbedFiles::detach_if(const Chosen& chosen) {
  std::vector<Attachment> gone;
  std::size_t count = 0;
  for (auto at = files_.begin(); at != files_.end();) {
    File& file = at->second;
    const bool goes = !file.for_good && file.holders.empty() && chosen(at->first, file);
    if (goes && file.attachment) gone.push_back(std::move(file.attachment));
    count += goes ? 1 : 0;
    at = goes ? files_.erase(at) : std::next(at);
  }
  drop_side_by_side(std::move(gone));
  return count;
}

void ProbedFiles::detach_all() {
  std::vector<Attachment> all;
  for (auto& [identity, file] : files_)
    if (file.attachment) all.push_back(std::move(file.attachment));
  files_.clear();
  drop_side_by_side(std::move(all));
}

}  // namespace exa
