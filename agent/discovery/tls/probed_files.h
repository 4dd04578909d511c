// The files with probes: one attachment a file, in force for every process that maps it, gone some
// time after the last of them. Each file stands in the account of the process for which it was
// probed, and of that one's user, since no one of them may use up the places of all.
// Thread of TlsWatch only. At most kMaxFiles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/discovery/elf/file_identity.h"
#include "exa/base/result.h"
#include "exa/base/time.h"

namespace exa {

class ProbedFiles {
 public:
  static constexpr std::size_t kMaxFiles = 512;
  static constexpr std::size_t kMaxOfProcess = 16;
  static constexpr std::size_t kMaxOfAccount = 128;
  static constexpr Duration kDetachAfter = std::chrono::seconds(30);

  using Attachment = std::shared_ptr<void>;  // the probes are gone with the last copy

  struct File {
    Attachment attachment;
    std::string failure;  // why there is none
    std::size_t probes = 0;
    std::string library;
    std::string build_id;
    std::set<std::uint32_t> holders;  // processes; empty: since when
    MonotonicTime unheld_since;
    bool for_good = false;
    std::uint32_t payer = 0;
    std::string account;
  };

  enum class Room : std::uint8_t { kThere, kProcessFull, kAccountFull, kAllFull };

  [[nodiscard]] File* find(const FileIdentity& file);
  // Whether one more file may be probed for the process. Files that nobody uses any more make room:
  // those of the account where its share is used up, and where all places are taken the one that
  // nobody has used for longest.
  [[nodiscard]] Room room_for(std::uint32_t tgid, const std::string& account);
  File& add(const FileIdentity& identity, File file);
  void forget(const FileIdentity& identity) { files_.erase(identity); }
  // The same file with other contents: its probes may be in the middle of instructions. How many.
  std::size_t forget_former(const FileIdentity& now);

  // Lets go the files that the process held, but for those still in use.
  void release(std::uint32_t tgid, const std::set<FileIdentity>& still, MonotonicTime now);
  // Takes the probes out of files that nobody has held for kDetachAfter. How many. Side by side,
  // as below: each makes the kernel wait some 100 ms. Those that may not go now stay.
  using MayGo = std::function<bool(const FileIdentity& file)>;
  std::size_t detach_unheld(MonotonicTime now, const MayGo& may_go);
  void detach_all();

  [[nodiscard]] std::size_t size() const { return files_.size(); }
  [[nodiscard]] const std::map<FileIdentity, File>& all() const { return files_; }

 private:
  std::size_t detach_unheld_of(const std::string& account);
  template <typename Chosen>
  std::size_t detach_if(const Chosen& chosen);

  std::map<FileIdentity, File> files_;
};

}  // namespace exa
