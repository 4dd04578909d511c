// Walks the JSON of pods event by event and keeps the few texts that are needed. A place is where
// in the document the walk is; one table says which place follows from which key. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/naming/kubernetes/pod_reader.h"

namespace exa {

class PodDocument final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string type;              // of a watch event
  std::string kind;              // of the outermost object
  std::string object_kind;       // of a watch event's object
  std::string resource_version;  // of the list, or of the object
  std::string continue_token;
  ApiStatus status;
  std::vector<Pod> pods;
  std::size_t left_out = 0;
  bool is_list = false;
  bool too_deep = false;

  bool null() override { return true; }
  bool boolean(bool value) override;
  bool number_integer(std::int64_t value) override;
  bool number_unsigned(std::uint64_t value) override;
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string& value) override;
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(false); }
  bool key(std::string& name) override;
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(true); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  enum class Place : std::uint8_t {
    kElsewhere,
    kRoot,
    kListMetadata,
    kItems,
    kPod,
    kMetadata,
    kLabels,
    kAnnotations,
    kOwners,
    kOwner,
    kSpec,
    kContainers,
    kContainer,
    kStatus,
    kContainerStatuses,
    kContainerStatus,
    kLastState,
    kTerminated,
    kDetails,
  };

 private:
  struct Frame {
    Place place;
    bool is_array;
  };
  struct Owner {
    std::string kind;
    std::string name;
    bool controller = false;
  };

  bool enter(bool is_array);
  bool leave();
  [[nodiscard]] Place next_place() const;
  void begin(Place place);
  void end_pod();
  void metadata_text(std::string& value);
  void take_annotation(std::string& value);
  void take_container();
  PodContainer* container_named(const std::string& name);

  std::vector<Frame> frames_;
  std::string key_;
  Pod pod_;
  Owner owner_;
  PodContainer container_;  // the one being read, from spec or from status
};

}  // namespace exa
