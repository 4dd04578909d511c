// Defaults, file, environment and flags become one Config: flags win over the environment, the
// environment over the file, the file over the defaults. A list or map is replaced as a whole.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/environment.h"
#include "exa/base/result.h"

namespace exa {

struct FlagSetting {
  std::string flag;  // "--window"
  std::vector<std::string> values;
};

struct ConfigSources {
  std::string file_name{};  // empty: no file
  std::string file_text{};
  Environment environment{};       // OTEL_*
  std::string declarative_name{};  // OTEL_CONFIG_FILE, whose text stands for the environment
  std::string declarative_text{};
  Environment variables{};  // all, for that text
  std::vector<FlagSetting> flags{};
};

struct LoadedConfig {
  Config config;
  std::map<std::string, std::string, std::less<>> origins;  // key -> "agent.yaml:3:9", "--window"
  std::vector<std::string> warnings;
};

// The error lists every problem, one a line, each with its place and key.
Result<LoadedConfig> load_config(const ConfigSources& sources);

// At most kMaxConfigFileBytes; not a directory or a device.
Result<std::string> read_config_file(const std::string& path);

// The effective configuration as YAML that load_config() reads again, but for secrets, which print
// as *** and are then refused. Every setting is there, one that is not set as a comment. With
// origins, a value that does not come from the defaults says where it does come from.
enum class Origins : std::uint8_t { kLeftOut, kShown };
std::string config_yaml(const LoadedConfig& loaded, Origins origins = Origins::kLeftOut);

}  // namespace exa
