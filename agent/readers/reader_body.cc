// What a reader does. It may be held up at any read, and then it is left behind; it may be taken
// over by what it parses, and then it has nothing.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "agent/discovery/process_words.h"
#include "agent/discovery/published_resource.h"
#include "agent/discovery/tls/attachment_planner.h"
#include "agent/discovery/tls/mapped_images.h"
#include "agent/discovery/tls/plan_message.h"
#include "agent/privilege/descriptor_passing.h"
#include "agent/readers/mapping_records.h"
#include "agent/readers/reader_protocol.h"

namespace exa {
namespace {

constexpr std::size_t kPage = 4096;

bool send_images(int socket, const ImageCollector& collector) {
  std::span<const exa_mapping> rest(collector.images());
  do {
    const auto part = rest.first(std::min(rest.size(), kImagesInMessage));
    rest = rest.subspan(part.size());
    if (!send_with_descriptors(socket, encode_images(part, rest.empty(), collector.complete())))
      return false;
  } while (!rest.empty());
  return true;
}

bool answer_images(int socket, int iterator) {
  ImageCollector collector;
  for_each_mapping(iterator, [&](const exa_mapping& mapping) { return collector.add(mapping); });
  return send_images(socket, collector);
}

bool answer(int socket, const ReaderQuestion& question, const ReceivedMessage& received) {
  switch (question.question) {
    case Question::kWords:
      return send_with_descriptors(
          socket, encode_words(read_words(received.passed[1].get(), received.passed[0].get(),
                                          question.executable.data())));
    case Question::kImages:
      return answer_images(socket, received.passed[0].get());
    case Question::kPlaceOfPublished: {
      const auto place = place_of_published(received.passed[0].get());
      return send_with_descriptors(socket, std::as_bytes(std::span(&place, 1)));
    }
    case Question::kPublished:
      return send_with_descriptors(
          socket,
          encode_words({.environment = read_published(received.passed[0].get(), question.address),
                        .program = {}}));
    case Question::kPlan:
      break;
  }
  return false;
}

int answer_texts(int socket) {
  if (!confine_reader(ReaderKind::kTexts)) return 1;
  for (;;) {
    ReaderQuestion question;
    const auto received =
        receive_with_descriptors(socket, std::as_writable_bytes(std::span(&question, 1)));
    if (received.size == 0) return 0;
    if (received.size != static_cast<ssize_t>(sizeof question)) return 1;
    question.executable.back() = '\0';
    if (!answer(socket, question, received)) return 1;
  }
}

int answer_file(int socket) {
  ReaderQuestion question;
  auto received = receive_with_descriptors(socket, std::as_writable_bytes(std::span(&question, 1)));
  if (received.size != static_cast<ssize_t>(sizeof question)) return 1;
  const auto file = open_as_reader(received.passed[0].get());
  OpenedFile opened;
  if (file) {
    void* const page = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, file->get(), 0);
    if (page != MAP_FAILED) opened.address = reinterpret_cast<std::uint64_t>(page);
  }
  if (!confine_reader(ReaderKind::kFile)) return 1;
  if (!send_with_descriptors(socket, std::as_bytes(std::span(&opened, 1)))) return 1;
  std::byte begin{};
  if (opened.address == 0 || receive_with_descriptors(socket, std::span(&begin, 1)).size <= 0)
    return 0;
  const auto plan =
      plan_attachment(file->get(), {.bytes = question.limit_bytes,
                                    .duration = std::chrono::milliseconds(question.limit_ms),
                                    .thorough = question.thorough != 0});
  return send_with_descriptors(socket, encode_plan(plan)) ? 0 : 1;
}

}  // namespace

int be_reader(ReaderKind kind, int socket) {
  return kind == ReaderKind::kFile ? answer_file(socket) : answer_texts(socket);
}

}  // namespace exa
