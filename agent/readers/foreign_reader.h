// The prober's side of its readers: asks, waits for a bounded time, and leaves behind who does not
// answer. A reader that was left behind is ended, but that may take for ever; so many may be alive
// at once, and few of one user, so that nobody can hold all of them up.
//
// One thread; the thread of processes and the thread of TLS have one each, so that neither waits
// for the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "agent/discovery/process_words.h"
#include "agent/discovery/tls/foreign_files.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/privilege/zygote.h"
#include "agent/readers/expendable_open.h"
#include "agent/readers/reader_protocol.h"
#include "exa/base/time.h"

namespace exa {

class ForeignReader {
 public:
  static constexpr std::size_t kMaxHeldUp = 8;
  static constexpr std::size_t kMaxHeldUpOfOwner = 2;
  static constexpr std::chrono::milliseconds kPatience{500};
  // With processes of a user who held a reader up a while ago.
  static constexpr std::chrono::milliseconds kLittlePatience{50};
  static constexpr Duration kGrudge = std::chrono::seconds(30);
  static constexpr std::size_t kMaxGrudges = 256;
  static constexpr std::chrono::milliseconds kPatienceToOpen{1000};

  explicit ForeignReader(Zygote& zygote) : zygote_(&zygote) {}

  // Below a process' folder in /proc. Not valid: it cannot be opened.
  std::expected<UniqueFd, Unread> open(int process_fd, const std::string& name, int flags,
                                       std::uint32_t owner);
  std::expected<ProcessWords, Unread> words(int process_fd, std::uint32_t owner,
                                            const std::string& executable);
  // What the process publishes of itself, all empty if nothing; iterator: over where it does.
  std::expected<OtelEnvironment, Unread> published(int process_fd, std::uint32_t owner,
                                                   const UniqueFd& iterator);
  std::expected<MappedImages, Unread> images(const UniqueFd& iterator, std::uint32_t owner);
  // mappings: by which the kernel tells what the reader opened.
  std::expected<ReadFile, Unread> plan(int place_fd, const FileIdentity* expected,
                                       ReadLimits limits, std::uint32_t owner,
                                       const kernel::MappingIterator& mappings);

  // Any thread. Readers left behind since the start.
  [[nodiscard]] std::uint64_t held_up() const { return held_up_.load(std::memory_order_relaxed); }

 private:
  struct LeftBehind {
    StartedReader reader;
    std::uint32_t owner;
  };

  [[nodiscard]] std::optional<Unread> refused(std::uint32_t owner);
  [[nodiscard]] std::chrono::milliseconds patience_with(std::uint32_t owner) const;
  void held_up_by(std::uint32_t owner);
  bool ensure_texts();
  // One answer of at most so many bytes of the reader of texts, or of a new one where it is gone.
  std::expected<std::vector<std::byte>, Unread> ask_texts(const ReaderQuestion& question,
                                                          std::span<const int> passed,
                                                          std::size_t at_most, std::uint32_t owner);
  void end_texts();
  void leave_behind(StartedReader reader, std::uint32_t owner);

  Zygote* zygote_;
  ExpendableOpen opener_;
  std::optional<StartedReader> texts_;
  std::vector<LeftBehind> left_behind_;             // with those of the opener at most kMaxHeldUp
  std::map<std::uint32_t, MonotonicTime> grudges_;  // user, and when; at most kMaxGrudges
  MonotonicTime no_reader_until_;
  std::atomic<std::uint64_t> held_up_{0};
};

}  // namespace exa
