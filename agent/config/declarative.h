// The declarative configuration of OpenTelemetry (OTEL_CONFIG_FILE), read where it says the same
// things as ours: exporters, resource, propagators. What it says besides is named in a warning,
// with its place, and ignored. With such a file the other OTEL_* variables count only where it
// refers to them, as the specification has it. Pure. Source:
// opentelemetry.io/docs/specs/otel/configuration/data-model, schema 1.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/environment.h"

namespace exa {

struct DeclarativeReading {
  std::vector<EnvironmentSetting> settings;  // to be applied in this order; variable: the place
  std::vector<std::string> warnings;
  std::vector<std::string> problems;  // it is no such file
};

// environment: all variables, not only OTEL_*.
DeclarativeReading read_declarative(std::string_view file_name, std::string_view text,
                                    const Environment& environment);

}  // namespace exa
