// How many documents a YAML text has. Besides yaml_source and declarative_* nobody sees yaml-cpp.
#pragma once

#include <yaml-cpp/mark.h>

#include <optional>
#include <string>

namespace exa {

// Where a second document begins. Throws what yaml-cpp throws of a text that is no YAML.
std::optional<YAML::Mark> second_document(const std::string& text);

}  // namespace exa
