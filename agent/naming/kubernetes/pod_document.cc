#include "agent/naming/kubernetes/pod_document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include "exa/base/hex.h"

namespace exa {
namespace {

using Place = PodDocument::Place;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxTokenBytes = 16u << 10;
constexpr std::size_t kMaxMessageBytes = 512;
constexpr std::string_view kAnnotationPrefix = "resource.opentelemetry.io/";

// From an object by a key; an element of an array has the empty key.
struct Step {
  Place from;
  std::string_view key;
  Place to;
};
constexpr std::array<Step, 23> kSteps = {{
    {Place::kRoot, "metadata", Place::kListMetadata},
    {Place::kRoot, "items", Place::kItems},
    {Place::kRoot, "object", Place::kPod},
    {Place::kRoot, "details", Place::kDetails},
    {Place::kItems, "", Place::kPod},
    {Place::kPod, "metadata", Place::kMetadata},
    {Place::kPod, "spec", Place::kSpec},
    {Place::kPod, "status", Place::kStatus},
    {Place::kPod, "details", Place::kDetails},
    {Place::kMetadata, "labels", Place::kLabels},
    {Place::kMetadata, "annotations", Place::kAnnotations},
    {Place::kMetadata, "ownerReferences", Place::kOwners},
    {Place::kOwners, "", Place::kOwner},
    {Place::kSpec, "containers", Place::kContainers},
    {Place::kSpec, "initContainers", Place::kContainers},
    {Place::kSpec, "ephemeralContainers", Place::kContainers},
    {Place::kContainers, "", Place::kContainer},
    {Place::kStatus, "containerStatuses", Place::kContainerStatuses},
    {Place::kStatus, "initContainerStatuses", Place::kContainerStatuses},
    {Place::kStatus, "ephemeralContainerStatuses", Place::kContainerStatuses},
    {Place::kContainerStatuses, "", Place::kContainerStatus},
    {Place::kContainerStatus, "lastState", Place::kLastState},
    {Place::kLastState, "terminated", Place::kTerminated},
}};

constexpr bool is_list_place(Place place) {
  return place == Place::kItems || place == Place::kOwners || place == Place::kContainers ||
         place == Place::kContainerStatuses;
}

constexpr std::array<std::string_view, 4> kLabels = {
    "app.kubernetes.io/instance", "app.kubernetes.io/name", "app.kubernetes.io/version",
    "pod-template-hash"};

// At most max_bytes, never half a character.
std::string cut(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xc0) == 0x80)
      --max_bytes;
    text = text.substr(0, max_bytes);
  }
  return std::string(text);
}

// "2026-11-20T13:10:03Z"; 0 if it is not that.
std::int64_t unix_seconds(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  if (text.size() != kShape.size()) return 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (kShape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return 0;
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) return 0;
  const std::chrono::sys_days midnight = day;
  return std::chrono::duration_cast<std::chrono::seconds>(midnight.time_since_epoch()).count() +
         number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2);
}

// "containerd://542973..." without the scheme; empty if the rest is no id.
std::string id_of(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  return text.size() == 64 && is_lower_hex(text) ? std::string(text) : std::string();
}

}  // namespace

Place PodDocument::next_place() const {
  if (frames_.empty()) return Place::kRoot;
  const auto& parent = frames_.back();
  const auto key = parent.is_array ? std::string_view() : std::string_view(key_);
  for (const auto& step : kSteps)
    if (step.from == parent.place && step.key == key) return step.to;
  return Place::kElsewhere;
}

bool PodDocument::enter(bool is_array) {
  if (frames_.size() >= kMaxDepth) {
    too_deep = true;
    return false;
  }
  auto place = next_place();
  // An object where a list belongs, or the reverse, is not what it is called.
  if (is_array != is_list_place(place)) place = Place::kElsewhere;
  if (place == Place::kItems) is_list = true;
  frames_.push_back({place, is_array});
  begin(place);
  key_.clear();
  return true;
}

void PodDocument::begin(Place place) {
  if (place == Place::kPod) pod_ = {};
  if (place == Place::kOwner) owner_ = {};
  if (place == Place::kContainer || place == Place::kContainerStatus) container_ = {};
}

bool PodDocument::leave() {
  const auto place = frames_.back().place;
  frames_.pop_back();
  key_.clear();
  if (place == Place::kPod) end_pod();
  if (place == Place::kContainer || place == Place::kContainerStatus) take_container();
  if (place == Place::kOwner && owner_.controller) {
    pod_.owner_kind = owner_.kind;
    pod_.owner_name = owner_.name;
  }
  return true;
}

void PodDocument::end_pod() {
  const bool in_list = is_list;
  if (in_list && (pod_.uid.empty() || pods.size() >= kMaxPodsPerPage)) {
    ++left_out;
    return;
  }
  if (!in_list) pods.clear();
  pods.push_back(std::move(pod_));
}

PodContainer* PodDocument::container_named(const std::string& name) {
  const auto found = std::ranges::find(pod_.containers, name, &PodContainer::name);
  if (found != pod_.containers.end()) return &*found;
  if (pod_.containers.size() >= kMaxContainersPerPod) return nullptr;
  return &pod_.containers.emplace_back(PodContainer{.name = name, .image = {}, .ids = {}});
}

// spec says the image, status the ids, in either order.
void PodDocument::take_container() {
  if (container_.name.empty()) return;
  auto* const known = container_named(container_.name);
  if (known == nullptr) return;
  if (!container_.image.empty()) known->image = std::move(container_.image);
  for (auto& id : container_.ids)
    if (known->ids.size() < kMaxIdsPerContainer) known->ids.push_back(std::move(id));
}

bool PodDocument::key(std::string& name) {
  // Long keys are none of ours; the name of an annotation is.
  key_ = name.size() <= 2 * kMaxPodTextBytes ? std::move(name) : std::string();
  return true;
}

bool PodDocument::boolean(bool value) {
  if (!frames_.empty() && frames_.back().place == Place::kOwner && key_ == "controller")
    owner_.controller = value;
  return true;
}

bool PodDocument::number_integer(std::int64_t value) {
  return value < 0 || number_unsigned(static_cast<std::uint64_t>(value));
}

bool PodDocument::number_unsigned(std::uint64_t value) {
  if (frames_.empty()) return true;
  const auto place = frames_.back().place;
  const bool is_status = place == Place::kRoot || place == Place::kPod;
  constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
  if (is_status && key_ == "code") status.code = static_cast<int>(std::min(value, kMost));
  if (place == Place::kDetails && key_ == "retryAfterSeconds")
    status.retry_after_s = static_cast<std::uint32_t>(std::min(value, kMost));
  return true;
}

void PodDocument::metadata_text(std::string& value) {
  if (key_ == "name") pod_.name = cut(value, kMaxPodTextBytes);
  if (key_ == "namespace") pod_.namespace_name = cut(value, kMaxPodTextBytes);
  if (key_ == "uid") pod_.uid = cut(value, kMaxPodTextBytes);
  if (key_ == "creationTimestamp") pod_.created_unix_s = unix_seconds(value);
  if (key_ == "resourceVersion" && !is_list) resource_version = cut(value, kMaxPodTextBytes);
}

void PodDocument::take_annotation(std::string& value) {
  if (!key_.starts_with(kAnnotationPrefix)) return;
  const auto name = std::string_view(key_).substr(kAnnotationPrefix.size());
  if (name.empty() || pod_.annotations.size() >= kMaxAnnotationsPerPod) return;
  pod_.annotations.emplace_back(cut(name, kMaxPodTextBytes), cut(value, kMaxPodTextBytes));
}

bool PodDocument::string(std::string& value) {
  if (frames_.empty() || frames_.back().is_array) return true;
  const auto place = frames_.back().place;
  const auto is = [&](std::string_view name) { return key_ == name; };
  const auto text = [&] { return cut(value, kMaxPodTextBytes); };
  switch (place) {
    case Place::kRoot:
    case Place::kPod:
      if (is("type")) type = text();
      if (is("kind")) (place == Place::kRoot ? kind : object_kind) = text();
      if (is("reason")) status.reason = text();
      if (is("message")) status.message = cut(value, kMaxMessageBytes);
      break;
    case Place::kListMetadata:
      if (is("resourceVersion")) resource_version = text();
      if (is("continue") && value.size() <= kMaxTokenBytes) continue_token = value;
      break;
    case Place::kMetadata:
      metadata_text(value);
      break;
    case Place::kLabels:
      if (std::ranges::find(kLabels, std::string_view(key_)) != kLabels.end() &&
          pod_.labels.size() < kLabels.size())
        pod_.labels.emplace_back(key_, text());
      break;
    case Place::kAnnotations:
      take_annotation(value);
      break;
    case Place::kOwner:
      if (is("kind")) owner_.kind = text();
      if (is("name")) owner_.name = text();
      break;
    case Place::kSpec:
      if (is("nodeName")) pod_.node_name = text();
      break;
    case Place::kContainer:
      if (is("name")) container_.name = text();
      if (is("image")) container_.image = text();
      break;
    case Place::kContainerStatus:
    case Place::kTerminated:
      if (is("name") && place == Place::kContainerStatus) container_.name = text();
      if (is("containerID") && container_.ids.size() < kMaxIdsPerContainer)
        if (auto id = id_of(value); !id.empty()) container_.ids.push_back(std::move(id));
      break;
    default:
      break;
  }
  return true;
}

}  // namespace exa
