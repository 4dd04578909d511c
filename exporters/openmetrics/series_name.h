// How a series is called on the page: what its exemplars are kept under. Pure.
#pragma once

#include <string>

#include "exa/model/attribute.h"

namespace exa {

// job="...",instance="..." of a target; empty where its resource says neither.
std::string target_identity(const Resource* resource);

// a and b are texts of labels without braces.
std::string joined_labels(const std::string& a, const std::string& b);

// The labels of one point of a target.
std::string series_labels(const std::string& identity, const Attributes& attributes);

std::string series_name(const std::string& family, const std::string& labels);

}  // namespace exa
