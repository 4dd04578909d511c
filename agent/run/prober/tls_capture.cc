#include "agent/run/prober/tls_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "agent/discovery/mounts.h"
#include "agent/discovery/tls/tls_watch.h"
#include "agent/discovery/tls/written_files.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/kernel/tls_programs.h"
#include "agent/readers/foreign_reader.h"
#include "agent/run/prober/tls_probes.h"
#include "exa/abi/event.h"

namespace exa {
namespace {

// Shells and their kin run all the time and speak no TLS themselves. Commands of the agent, such as
// `status`, hold the names by which libraries are found, and would be taken for one.
constexpr const char* kWithoutTls[] = {"bash",    "dash",  "sh",  "zsh",           "fish",
                                       "busybox", "sleep", "env", "exemplar-agent"};

}  // namespace

std::vector<std::string> reachable_host_libraries() {
  const auto mounts = Mounts::of_this_process();
  auto paths = host_library_paths();
  std::erase_if(paths, [&](const std::string& path) {
    return !is_read_by_the_kernel_alone(mounts.file_system_of(path));
  });
  return paths;
}

struct TlsCapture::Parts {
  Parts(kernel::TlsPrograms loaded, std::shared_ptr<const kernel::MappingIterator> iterator,
        Zygote& zygote)
      : programs(std::move(loaded)), mappings(std::move(iterator)), reader(zygote) {}
  kernel::TlsPrograms programs;
  std::shared_ptr<const kernel::MappingIterator> mappings;
  ForeignReader reader;  // of the watch's thread
  WrittenFiles written;
  // Of the watch's thread: files whose programs tell tables; none any more.
  std::vector<std::weak_ptr<kernel::TlsPrograms::Attachment>> tell_tables;
  bool tables_are_told = true;
  std::optional<TlsWatch> watch;

  Result<ProbedFiles::Attachment> attach(int file_fd, const AttachPlan& plan);
  void end_tables();
};

Result<ProbedFiles::Attachment> TlsCapture::Parts::attach(int file_fd, const AttachPlan& plan) {
  auto attached = programs.attach(file_fd, tls_probes(plan));
  if (!attached) return std::unexpected(attached.error());
  auto attachment = std::make_shared<kernel::TlsPrograms::Attachment>(std::move(*attached));
  // Without them no plaintext is missed, only names of connections that are older than we are.
  if (const auto tables = table_probes(plan);
      tables_are_told && !tables.empty() && programs.tell_tables(*attachment, file_fd, tables))
    tell_tables.push_back(attachment);
  return attachment;
}

void TlsCapture::Parts::end_tables() {
  tables_are_told = false;
  for (const auto& one : tell_tables)
    if (const auto attachment = one.lock()) attachment->end_tables();
  tell_tables.clear();
}

TlsCapture::TlsCapture(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TlsCapture::~TlsCapture() {
  // A thread that does not end keeps what it uses.
  if (!end_within(std::chrono::seconds(1))) [[maybe_unused]]
    auto* const left = parts_.release();
}

Result<std::unique_ptr<TlsCapture>> TlsCapture::start(
    const kernel::CapturePrograms& capture, const kernel::CaptureConfig& config,
    std::shared_ptr<const kernel::MappingIterator> mappings,
    std::vector<std::string> ignored_executables, Zygote& zygote) {
  if (!mappings) return fail("which libraries a process maps is not told");
  auto programs = kernel::TlsPrograms::load(capture, config);
  if (!programs) return std::unexpected(programs.error());
  auto parts = std::make_unique<Parts>(std::move(*programs), std::move(mappings), zygote);
  kernel::TlsPrograms& loaded = parts->programs;
  Parts& own = *parts;

  ForeignFiles foreign{
      .mapped = [&own](std::uint32_t tgid,
                       std::uint32_t owner) -> std::expected<MappedImages, Unread> {
        const auto iterator = own.mappings->code_of(tgid);
        if (!iterator) return std::unexpected(Unread::kNoReader);
        return own.reader.images(*iterator, owner);
      },
      .place =
          [&own](int process_fd, const MappedImage& image, std::uint32_t owner) {
            return own.reader.open(process_fd, name_of_mapping(image), O_PATH, owner);
          },
      .read =
          [&own](int place_fd, const FileIdentity* expected, ReadLimits limits,
                 std::uint32_t owner) {
            return own.reader.plan(place_fd, expected, limits, owner, *own.mappings);
          }};
  ignored_executables.insert(ignored_executables.end(), std::begin(kWithoutTls),
                             std::end(kWithoutTls));
  TlsAttacher attacher(
      {.attach =
           [&own](int fd, const FileIdentity& file, const AttachPlan& plan) {
             return own.written.keep(fd, file, [&] { return own.attach(fd, plan); });
           },
       .written = [&own] { return own.written.take_written(); },
       .locked = [&own] { return own.mappings->locked(); },
       .mark_dull = [&loaded](std::uint32_t device,
                              std::uint64_t inode) { loaded.mark_dull(device, inode); },
       .is_excluded = [&loaded](std::uint32_t tgid) { return loaded.is_excluded(tgid); },
       .end_tables = [&own] { own.end_tables(); }},
      std::move(foreign), std::move(ignored_executables), static_cast<std::uint32_t>(::getpid()));
  parts->watch.emplace(
      std::move(attacher), reachable_host_libraries(),
      TlsWatch::Chores{
          .connections = [&loaded] { return loaded.connections(); },
          .sweep = [&loaded] { return loaded.sweep().has_value(); },
          .forget_streams = [&loaded](const auto& is_gone) { loaded.forget(is_gone); }});
  return std::unique_ptr<TlsCapture>(new TlsCapture(std::move(parts)));
}

void TlsCapture::on_control_record(std::span<const std::byte> record) {
  exa_event_header header;
  if (record.size() < sizeof(header)) return;
  std::memcpy(&header, record.data(), sizeof(header));
  if (header.type == EXA_EVENT_EXEC) parts_->watch->notify(TlsNews::kStarted, header.tgid);
  if (header.type == EXA_EVENT_TLS_TRAFFIC) parts_->watch->notify(TlsNews::kTraffic, header.tgid);
  if (header.type == EXA_EVENT_PROCESS_EXIT) parts_->watch->notify(TlsNews::kExited, header.tgid);
}

void TlsCapture::on_verdict(std::uint32_t tgid) {
  parts_->watch->notify(TlsNews::kStarted, tgid);
}

std::string TlsCapture::status() const {
  return parts_->watch->status();
}

TlsFigures TlsCapture::figures() const {
  return parts_->watch->figures();
}

bool TlsCapture::probes_placed() const {
  return parts_->watch->probes_placed();
}

bool TlsCapture::end_within(Duration patience) {
  return parts_->watch->end_within(patience);
}

}  // namespace exa
