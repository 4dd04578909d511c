// OTEL_* variables of the agent's own environment, as the OpenTelemetry specification defines
// them: empty is unset; a value that is unknown or not supported warns and is ignored. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/setting.h"

namespace exa {

using Environment = std::map<std::string, std::string, std::less<>>;

// A process' environment block, and the OTEL_* part of it.
Environment whole_environment(const char* const* environment_block);
Environment otel_environment(const char* const* environment_block);

struct EnvironmentSetting {
  const Setting* setting = nullptr;
  std::vector<SettingEntry> entries;
  std::string variable;
};

struct EnvironmentReading {
  std::vector<EnvironmentSetting> settings;  // to be applied in this order
  std::vector<std::string> warnings;
};

// before: what the file says of OTLP.
EnvironmentReading read_environment(const Environment& environment, const OtlpConfig& before);

}  // namespace exa
