#include "agent/naming/kubernetes/pod_reader.h"

#include "agent/naming/kubernetes/pod_document.h"

namespace exa {
namespace {

Result<> parse(std::string_view json, PodDocument& document) {
  if (json.size() > kMaxApiBytes) return fail("longer than 8 MiB");
  const bool whole = nlohmann::json::sax_parse(json.begin(), json.end(), &document);
  if (document.too_deep) return fail("nested deeper than any pod is");
  if (!whole) return fail("no JSON");
  return {};
}

WatchEvent::Kind kind_of(std::string_view type) {
  using Kind = WatchEvent::Kind;
  if (type == "ADDED") return Kind::kAdded;
  if (type == "MODIFIED") return Kind::kModified;
  if (type == "DELETED") return Kind::kDeleted;
  if (type == "BOOKMARK") return Kind::kBookmark;
  if (type == "ERROR") return Kind::kError;
  return Kind::kOther;
}

}  // namespace

Result<PodPage> read_pod_page(std::string_view json) {
  PodDocument document;
  if (const auto parsed = parse(json, document); !parsed) return std::unexpected(parsed.error());
  if (!document.is_list) return fail("not a list of pods");
  return PodPage{.pods = std::move(document.pods),
                 .resource_version = std::move(document.resource_version),
                 .continue_token = std::move(document.continue_token),
                 .left_out = document.left_out};
}

Result<WatchEvent> read_watch_event(std::string_view line) {
  PodDocument document;
  if (const auto parsed = parse(line, document); !parsed) return std::unexpected(parsed.error());
  WatchEvent event{.kind = kind_of(document.type),
                   .pod = {},
                   .resource_version = std::move(document.resource_version),
                   .status = std::move(document.status)};
  using Kind = WatchEvent::Kind;
  if (event.kind == Kind::kOther || document.pods.size() != 1) return fail("not a watch event");
  event.pod = std::move(document.pods.front());
  const bool names_a_pod = event.kind != Kind::kBookmark && event.kind != Kind::kError;
  if (names_a_pod && event.pod.uid.empty()) return fail("an event without a pod");
  return event;
}

ApiStatus read_status(std::string_view json) {
  PodDocument document;
  if (!parse(json, document) || document.kind != "Status") return {};
  return std::move(document.status);
}

}  // namespace exa
