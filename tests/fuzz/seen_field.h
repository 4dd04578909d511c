// A field as a decoder of HPACK told it, kept beyond the call.
#pragma once

#include <string>

#include "agent/protocol/http2/hpack/decoder.h"

namespace exa::fuzz {

struct SeenField {
  explicit SeenField(const hpack::Field& field)
      : name(field.name),
        value(field.value),
        name_known(field.name_known),
        value_known(field.value_known) {}

  std::string name;
  std::string value;
  bool name_known;
  bool value_known;

  // What is known of this one is what that one is.
  [[nodiscard]] bool agrees_with(const SeenField& whole) const {
    return (!name_known || name == whole.name) && (!value_known || value == whole.value);
  }
};

}  // namespace exa::fuzz
