#include "agent/readers/foreign_reader.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/discovery/tls/plan_message.h"
#include "agent/privilege/descriptor_passing.h"
#include "agent/readers/mapping_records.h"

namespace exa {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr Duration kPauseWithoutReader = std::chrono::seconds(5);

// One message before the deadline; empty if there was none or the reader is gone.
struct Awaited {
  std::vector<std::byte> bytes;
  bool late = false;
};
Awaited await(const StartedReader& reader, std::size_t at_most, Clock::time_point deadline) {
  Awaited awaited;
  pollfd watched{.fd = reader.socket.get(), .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      awaited.late = true;
      return awaited;
    }
    break;
  }
  awaited.bytes.resize(at_most);
  // What a reader passes along is closed unseen.
  const auto received = receive_with_descriptors(reader.socket.get(), awaited.bytes);
  const bool whole = received.size > 0 && static_cast<std::size_t>(received.size) <= at_most;
  awaited.bytes.resize(whole ? static_cast<std::size_t>(received.size) : 0);
  return awaited;
}

bool ask(const StartedReader& reader, const ReaderQuestion& question, std::span<const int> passed) {
  return send_with_descriptors(reader.socket.get(), std::as_bytes(std::span(&question, 1)), passed);
}

// Which file the reader maps at the address.
std::optional<MappedImage> file_at(std::uint64_t address, const UniqueFd& iterator) {
  std::optional<MappedImage> found;
  std::size_t seen = 0;
  for_each_mapping(iterator.get(), [&](const exa_mapping& mapping) {
    if (mapping.start != address) return ++seen < kMaxMappings;
    found = image_of(mapping);
    return false;
  });
  return found;
}

}  // namespace

std::optional<Unread> ForeignReader::refused(std::uint32_t owner) {
  std::erase_if(left_behind_, [](const LeftBehind& left) {
    pollfd watched{.fd = left.reader.socket.get(), .events = 0, .revents = 0};
    return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLHUP) != 0;
  });
  if (left_behind_.size() + opener_.left_behind() >= kMaxHeldUp) return Unread::kTooManyHeldUp;
  const auto of_owner = std::ranges::count(left_behind_, owner, &LeftBehind::owner);
  if (static_cast<std::size_t>(of_owner) + opener_.left_behind(owner) >= kMaxHeldUpOfOwner)
    return Unread::kOwnerHoldsUp;
  return monotonic_now() < no_reader_until_ ? std::optional(Unread::kNoReader) : std::nullopt;
}

std::chrono::milliseconds ForeignReader::patience_with(std::uint32_t owner) const {
  const auto found = grudges_.find(owner);
  const bool recent = found != grudges_.end() && elapsed(found->second, monotonic_now()) < kGrudge;
  return recent ? kLittlePatience : kPatience;
}

void ForeignReader::held_up_by(std::uint32_t owner) {
  held_up_.fetch_add(1, std::memory_order_relaxed);
  if (grudges_.size() >= kMaxGrudges) grudges_.clear();
  grudges_[owner] = monotonic_now();
}

bool ForeignReader::ensure_texts() {
  if (texts_) return true;
  auto started = zygote_->start_reader(ReaderKind::kTexts);
  if (!started) {
    no_reader_until_ = monotonic_now() + kPauseWithoutReader;
    return false;
  }
  texts_ = std::move(*started);
  return true;
}

void ForeignReader::leave_behind(StartedReader reader, std::uint32_t owner) {
  zygote_->end_reader(reader.number);
  held_up_by(owner);
  left_behind_.push_back({std::move(reader), owner});
}

std::expected<UniqueFd, Unread> ForeignReader::open(int process_fd, const std::string& name,
                                                    int flags, std::uint32_t owner) {
  if (const auto no = refused(owner)) return std::unexpected(*no);
  auto opened = opener_.open(process_fd, name, flags | O_CLOEXEC, owner, patience_with(owner));
  if (opened) return std::move(*opened);
  held_up_by(owner);
  return std::unexpected(Unread::kHeldUp);
}

std::expected<ProcessWords, Unread> ForeignReader::words(int process_fd, std::uint32_t owner,
                                                         const std::string& executable) {
  if (const auto no = refused(owner)) return std::unexpected(*no);
  // Opening checks the right to; reading, which may take for ever, needs none.
  const auto environment = open(process_fd, "environ", O_RDONLY, owner);
  if (!environment) return std::unexpected(environment.error());
  const UniqueFd command(::openat(process_fd, "cmdline", O_RDONLY | O_CLOEXEC));
  if (!command.valid()) return std::unexpected(Unread::kNoReader);
  ReaderQuestion question{.question = Question::kWords};
  executable.copy(question.executable.data(), question.executable.size() - 1);
  const std::array both{command.get(), environment->get()};
  const auto passed = std::span(both).first(environment->valid() ? 2 : 1);
  const auto said = ask_texts(question, passed, kMaxWordsMessageBytes, owner);
  if (!said) return std::unexpected(said.error());
  if (auto words = decode_words(*said)) return std::move(*words);
  end_texts();
  return std::unexpected(Unread::kNoReader);
}

void ForeignReader::end_texts() {
  zygote_->end_reader(texts_->number);
  texts_.reset();
}

std::expected<std::vector<std::byte>, Unread> ForeignReader::ask_texts(
    const ReaderQuestion& question, std::span<const int> passed, std::size_t at_most,
    std::uint32_t owner) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!ensure_texts()) break;
    if (!ask(*texts_, question, passed)) {
      texts_.reset();
      continue;
    }
    auto said = await(*texts_, at_most, Clock::now() + patience_with(owner));
    if (said.late) {
      leave_behind(std::move(*std::exchange(texts_, std::nullopt)), owner);
      return std::unexpected(Unread::kHeldUp);
    }
    if (!said.bytes.empty()) return std::move(said.bytes);
    end_texts();
  }
  return std::unexpected(Unread::kNoReader);
}

// Its memory is for a reader of its own: whoever takes that over has what it had before.
std::expected<OtelEnvironment, Unread> ForeignReader::published(int process_fd, std::uint32_t owner,
                                                                const UniqueFd& iterator) {
  if (const auto no = refused(owner)) return std::unexpected(*no);
  const auto place = ask_texts({.question = Question::kPlaceOfPublished},
                               std::array{iterator.get()}, sizeof(std::uint64_t), owner);
  if (!place) return std::unexpected(place.error());
  if (place->size() != sizeof(std::uint64_t)) {
    end_texts();
    return std::unexpected(Unread::kNoReader);
  }
  ReaderQuestion question{.question = Question::kPublished};
  std::memcpy(&question.address, place->data(), place->size());
  if (question.address == 0) return OtelEnvironment{};
  const auto memory = open(process_fd, "mem", O_RDONLY, owner);
  if (!memory) return std::unexpected(memory.error());
  if (!memory->valid()) return OtelEnvironment{};
  auto reader = zygote_->start_reader(ReaderKind::kTexts);
  if (!reader) {
    no_reader_until_ = monotonic_now() + kPauseWithoutReader;
    return std::unexpected(Unread::kNoReader);
  }
  Awaited said;
  if (ask(*reader, question, std::array{memory->get()}))
    said = await(*reader, kMaxWordsMessageBytes, Clock::now() + patience_with(owner));
  if (said.late) {
    leave_behind(std::move(*reader), owner);
    return std::unexpected(Unread::kHeldUp);
  }
  zygote_->end_reader(reader->number);
  auto words = decode_words(said.bytes);
  if (!words) return std::unexpected(Unread::kNoReader);
  return std::move(words->environment);
}

std::expected<MappedImages, Unread> ForeignReader::images(const UniqueFd& iterator,
                                                          std::uint32_t owner) {
  if (const auto no = refused(owner)) return std::unexpected(*no);
  const std::array passed{iterator.get()};
  if (!ensure_texts()) return std::unexpected(Unread::kNoReader);
  const auto fail_with = [&](Unread reason) {
    if (texts_) zygote_->end_reader(texts_->number);
    texts_.reset();
    return std::unexpected(reason);
  };
  if (!ask(*texts_, {.question = Question::kImages}, passed)) return fail_with(Unread::kNoReader);
  const auto deadline = Clock::now() + patience_with(owner);
  MappedImages mapped;
  for (;;) {
    const auto said = await(*texts_, ImagesMessage::kMaxBytes, deadline);
    if (said.late) {
      leave_behind(std::move(*std::exchange(texts_, std::nullopt)), owner);
      return std::unexpected(Unread::kHeldUp);
    }
    auto part = decode_images(said.bytes);
    if (!part || mapped.images.size() + part->images.size() > kMaxImages)
      return fail_with(Unread::kNoReader);
    std::ranges::move(part->images, std::back_inserter(mapped.images));
    mapped.complete = mapped.complete && part->complete;
    if (part->last) return mapped;
    if (part->images.empty()) return fail_with(Unread::kNoReader);
  }
}

std::expected<ReadFile, Unread> ForeignReader::plan(int place_fd, const FileIdentity* expected,
                                                    ReadLimits limits, std::uint32_t owner,
                                                    const kernel::MappingIterator& mappings) {
  if (const auto no = refused(owner)) return std::unexpected(*no);
  auto reader = zygote_->start_reader(ReaderKind::kFile);
  if (!reader) {
    no_reader_until_ = monotonic_now() + kPauseWithoutReader;
    return std::unexpected(Unread::kNoReader);
  }
  const auto fail_with = [&](Unread reason) {
    if (reason == Unread::kHeldUp)
      leave_behind(std::move(*reader), owner);
    else
      zygote_->end_reader(reader->number);
    return std::unexpected(reason);
  };
  const ReaderQuestion question{.question = Question::kPlan,
                                .limit_ms = static_cast<std::uint32_t>(limits.duration.count()),
                                .limit_bytes = limits.bytes,
                                .thorough = limits.thorough ? 1u : 0u};
  if (!ask(*reader, question, std::array{place_fd})) return fail_with(Unread::kNoReader);
  const auto opened = await(*reader, sizeof(OpenedFile), Clock::now() + kPatienceToOpen);
  if (opened.late) return fail_with(Unread::kHeldUp);
  if (opened.bytes.size() != sizeof(OpenedFile)) return fail_with(Unread::kNoReader);
  const auto address = load_at<OpenedFile>(opened.bytes, 0).address;
  if (address == 0) return fail_with(Unread::kOtherFile);
  // So far the reader has seen no byte of strangers, and waits: what it maps is what it opened.
  const auto iterator = mappings.all_of(static_cast<std::uint32_t>(reader->pid));
  if (!iterator) return fail_with(Unread::kNoReader);
  const auto image = file_at(address, *iterator);
  if (!image) return fail_with(Unread::kOtherFile);
  if (!is_read_by_the_kernel_alone(image->file_system)) return fail_with(Unread::kRefused);
  if (expected != nullptr &&
      (image->file.device != expected->device || image->file.inode != expected->inode))
    return fail_with(Unread::kOtherFile);
  constexpr std::byte kBegin{1};
  if (!send_with_descriptors(reader->socket.get(), std::span(&kBegin, 1)))
    return fail_with(Unread::kNoReader);
  const auto said =
      await(*reader, kMaxPlanMessageBytes, Clock::now() + limits.duration + kPatience);
  if (said.late) return fail_with(Unread::kHeldUp);
  auto plan = decode_plan(said.bytes);
  if (!plan) return fail_with(Unread::kNoReader);
  return ReadFile{.file = image->file, .plan = std::move(*plan)};
}

}  // namespace exa
