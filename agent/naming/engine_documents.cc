#include "agent/naming/engine_documents.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "exa/base/hex.h"

namespace exa {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kComposeService = "com.docker.compose.service";
constexpr std::string_view kComposeProject = "com.docker.compose.project";

// The keys that lead to a value; an element of an array has the empty key.
struct Path {
  const std::vector<std::string>& keys;
  [[nodiscard]] bool is(std::initializer_list<std::string_view> expected) const {
    return std::ranges::equal(keys, expected);
  }
};

// Visits the texts of a document and the ends of its objects; builds nothing.
class TextWalk final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using OnText = std::function<void(const Path&, std::string& text)>;
  using OnObjectEnd = std::function<void(const Path&)>;

  explicit TextWalk(
      OnText on_text, OnObjectEnd on_object_end = [](const Path&) {})
      : on_text_(std::move(on_text)), on_object_end_(std::move(on_object_end)) {}

  bool walk(std::string_view json) {
    return nlohmann::json::sax_parse(json.begin(), json.end(), this);
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool string(std::string& text) override {
    on_text_({keys_}, text);
    return true;
  }
  bool key(std::string& name) override {
    keys_.back() = name.size() <= kMaxEngineTextBytes ? std::move(name) : std::string();
    return true;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override {
    keys_.pop_back();
    on_object_end_({keys_});
    return true;
  }
  bool end_array() override {
    keys_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool enter() {
    if (keys_.size() >= kMaxDepth) return false;
    keys_.emplace_back();
    return true;
  }

  OnText on_text_;
  OnObjectEnd on_object_end_;
  std::vector<std::string> keys_;
};

// At most the bound, never half a character.
std::string cut(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxEngineTextBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return std::string(text.substr(0, end));
}

// "sha256:..." or bare digits are what the engine calls an image that nobody named.
std::string image_of(std::string_view text) {
  const bool is_id = text.starts_with("sha256:") || (text.size() == 64 && is_lower_hex(text));
  return is_id ? std::string() : cut(text);
}

}  // namespace

ContainerNames parse_docker_config(std::string_view json) {
  ContainerNames names;
  const auto on_text = [&](const Path& path, std::string_view text) {
    if (path.is({"Name"})) names.name = cut(text.substr(text.starts_with('/') ? 1 : 0));
    if (path.is({"Config", "Image"})) names.image = image_of(text);
    if (path.is({"Config", "Labels", kComposeService})) names.compose_service = cut(text);
    if (path.is({"Config", "Labels", kComposeProject})) names.compose_project = cut(text);
  };
  return TextWalk(on_text).walk(json) ? names : ContainerNames{};
}

ContainerNames parse_oci_bundle(std::string_view json) {
  ContainerNames names;
  const auto on_text = [&](const Path& path, std::string_view text) {
    if (path.is({"annotations", "nerdctl/name"})) names.name = cut(text);
    if (path.is({"annotations", kComposeService})) names.compose_service = cut(text);
    if (path.is({"annotations", kComposeProject})) names.compose_project = cut(text);
  };
  return TextWalk(on_text).walk(json) ? names : ContainerNames{};
}

NamesById parse_podman_containers(std::string_view json) {
  NamesById found;
  std::string id;
  ContainerNames names;
  // A document within a text.
  const auto on_metadata = [&](const Path& path, std::string_view text) {
    if (path.is({"image-name"})) names.image = image_of(text);
  };
  const auto on_text = [&](const Path& path, std::string_view text) {
    if (path.is({"", "id"})) id = cut(text);
    if (path.is({"", "names", ""}) && names.name.empty()) names.name = cut(text);
    if (path.is({"", "metadata"}) && !TextWalk(on_metadata).walk(text)) names.image.clear();
  };
  const auto on_object_end = [&](const Path& path) {
    if (!path.is({""})) return;
    if (!id.empty() && found.size() < kMaxPodmanContainers) found[id] = std::move(names);
    id.clear();
    names = {};
  };
  return TextWalk(on_text, on_object_end).walk(json) ? found : NamesById{};
}

}  // namespace exa
