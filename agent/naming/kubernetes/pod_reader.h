// Reads what the API server answers: a page of a list, a line of a watch, a status. The bytes are
// foreign: no document is built, depth, texts and numbers of things are bounded, what is not needed
// is passed over. Pure; the watch thread's. Budget: the texts kept of the pods kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/naming/kubernetes/pod.h"
#include "exa/base/result.h"

namespace exa {

inline constexpr std::size_t kMaxApiBytes = 8u << 20;  // of one page or one line
inline constexpr std::size_t kMaxPodsPerPage = 1024;
inline constexpr std::size_t kMaxContainersPerPod = 64;
inline constexpr std::size_t kMaxIdsPerContainer = 4;
inline constexpr std::size_t kMaxAnnotationsPerPod = 32;
inline constexpr std::size_t kMaxPodTextBytes = 255;

// A Status object, or what stands in for one.
struct ApiStatus {
  int code = 0;
  std::string reason;
  std::string message;
  std::uint32_t retry_after_s = 0;
};

struct PodPage {
  std::vector<Pod> pods;
  std::string resource_version;
  std::string continue_token;  // empty: the last page
  std::size_t left_out = 0;    // pods over the bound, or without a uid
};

struct WatchEvent {
  enum class Kind : std::uint8_t { kAdded, kModified, kDeleted, kBookmark, kError, kOther };
  Kind kind = Kind::kOther;
  Pod pod;
  std::string resource_version;
  ApiStatus status;  // of kError
};

Result<PodPage> read_pod_page(std::string_view json);
Result<WatchEvent> read_watch_event(std::string_view line);
// Nothing readable is a status without code and reason.
ApiStatus read_status(std::string_view json);

}  // namespace exa
