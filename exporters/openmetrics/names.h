// OpenTelemetry names and values in Prometheus' alphabet. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exa/model/attribute.h"

namespace exa {

// [a-zA-Z_:][a-zA-Z0-9_:]*; every other byte becomes '_', runs of '_' one.
std::string metric_name(std::string_view name);

// "http.server.request.duration", "s" -> "http_server_request_duration_seconds". Without _total.
std::string family_name(std::string_view name, std::string_view unit, bool counter);

// "seconds" of "s", "" where the unit has no word.
std::string_view unit_word(std::string_view unit);

// [a-zA-Z_][a-zA-Z0-9_]*; names with two leading underscores are Prometheus' own and get a prefix.
std::string label_name(std::string_view key);

using Labels = std::vector<std::pair<std::string, std::string>>;

// Sorted by name and unique: attributes whose keys become one name have their values joined by ';'.
// An attribute that would hide `le`, `job` or `instance` becomes `exported_...`.
Labels labels_of(const Attributes& attributes);

// {a="x",b="y"} inside, without braces; values escaped and valid UTF-8.
std::string label_text(const Labels& labels);

// Shortest text that reads back as the same number; "+Inf", "-Inf", "NaN".
std::string number_text(double value);
std::string number_text(std::uint64_t value);

// le="...": as a float even if whole ("10.0"), the canonical form of OpenMetrics.
std::string bound_text(double bound);

// For a label value (quote = true) or a HELP text.
std::string exposition_text(std::string_view text, bool quote);

}  // namespace exa
