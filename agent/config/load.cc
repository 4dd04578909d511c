#include "agent/config/load.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "agent/config/declarative.h"
#include "agent/config/policy_memory.h"
#include "agent/config/policy_text.h"
#include "agent/config/yaml_source.h"
#include "exa/base/hex.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

constexpr std::string_view kHiddenSecret = "***";

class ConfigLoader {
 public:
  Result<LoadedConfig> load(const ConfigSources& sources) {
    if (!sources.file_name.empty()) apply_file(sources);
    if (sources.declarative_name.empty())
      apply_environment(read_environment(sources.environment, loaded_.config.otlp));
    else
      apply_declarative(sources);
    for (const auto& flag : sources.flags)
      apply_flag(flag);
    check_whole();
    if (problems_.empty()) return std::move(loaded_);
    std::string text;
    for (const auto& problem : problems_)
      text += (text.empty() ? "" : "\n") + problem;
    return fail(std::move(text));
  }

 private:
  // A printed configuration that is loaded again must not send stars for a secret.
  SettingResult apply(const Setting& setting, std::span<const SettingEntry> entries) {
    const auto stars = std::ranges::find(entries, kHiddenSecret, &SettingEntry::value);
    if (setting.secret && stars != entries.end())
      return std::unexpected(
          SettingError{static_cast<std::size_t>(stars - entries.begin()),
                       "'***' is what --print-config prints in place of a secret; put the secret "
                       "itself here, or in the environment"});
    return setting.apply(loaded_.config, entries);
  }

  void apply_file(const ConfigSources& sources) {
    auto reading = read_yaml(sources.file_name, sources.file_text);
    problems_ = std::move(reading.problems);
    // In the order of the table, whatever the file's: short forms first.
    std::ranges::sort(reading.settings, {}, &YamlSetting::setting);
    for (const auto& [setting, entries, places] : reading.settings) {
      const auto applied = apply(*setting, entries);
      if (applied && !places.empty()) loaded_.origins[std::string(setting->key)] = places.front();
      if (!applied)
        problems_.push_back(places[std::min(applied.error().entry, places.size() - 1)] + ": " +
                            std::string(setting->key) + ": " + applied.error().text);
    }
  }

  void apply_declarative(const ConfigSources& sources) {
    auto reading =
        read_declarative(sources.declarative_name, sources.declarative_text, sources.variables);
    std::ranges::move(reading.problems, std::back_inserter(problems_));
    apply_environment(
        {.settings = std::move(reading.settings), .warnings = std::move(reading.warnings)});
  }

  void apply_environment(EnvironmentReading reading) {
    loaded_.warnings = std::move(reading.warnings);
    for (const auto& [setting, entries, variable] : reading.settings) {
      if (const auto applied = apply(*setting, entries))
        loaded_.origins[std::string(setting->key)] = variable;
      else
        warn_once(variable + ": " + applied.error().text + "; ignored");
    }
  }

  // One variable may be of several settings, such as the endpoint of all signals.
  void warn_once(std::string warning) {
    if (std::ranges::find(loaded_.warnings, warning) == loaded_.warnings.end())
      loaded_.warnings.push_back(std::move(warning));
  }

  void apply_flag(const FlagSetting& flag) {
    const auto settings = all_settings();
    const auto setting = std::ranges::find(settings, std::string_view(flag.flag), &Setting::flag);
    if (setting == settings.end() || flag.values.empty()) {
      problems_.push_back(flag.flag + ": unknown flag");
      return;
    }
    std::vector<SettingEntry> entries;
    for (const auto& value : flag.values)
      entries.push_back({"", value});
    if (const auto applied = apply(*setting, entries))
      loaded_.origins[std::string(setting->key)] = flag.flag;
    else
      problems_.push_back(flag.flag + ": " + applied.error().text);
  }

  void check_whole() {
    for (const auto& [name, signal] : {std::pair("otlp.traces", &loaded_.config.otlp.traces),
                                       std::pair("otlp.metrics", &loaded_.config.otlp.metrics),
                                       std::pair("otlp.logs", &loaded_.config.otlp.logs)})
      if (signal->client_certificate.empty() != signal->client_key.empty())
        problems_.push_back(std::string(name) +
                            ": client_certificate and client_key must be set together");
    check_policies(loaded_.config.exemplars.policies);
  }

  // Written out with all arguments, as the pipeline and recordings read them, they are longer.
  void check_policies(const PolicySettings& policies) {
    if (const auto text = policies_text(policies); text.size() > kMostPolicyText)
      policy_problem("longer than " + std::to_string(kMostPolicyText) +
                     " bytes together, written out with all arguments");
    else if (const auto again = parse_policies(text); !again)
      policy_problem("written out with all arguments: " + again.error().text);
    else if (*again != policies)
      policy_problem("not the same when they are written out");
    if (const auto bytes = policy_memory(policies); bytes > kMostPolicyMemory)
      policy_problem("the policies would remember " + std::to_string(bytes) +
                     " bytes of a series, more than " + std::to_string(kMostPolicyMemory));
  }
  void policy_problem(const std::string& text) {
    const auto rules = loaded_.origins.find("exemplars.rules");
    const auto policy = loaded_.origins.find("exemplars.policy");
    const bool of_rules = rules != loaded_.origins.end();
    const auto& place = of_rules ? rules : policy;
    problems_.push_back((place == loaded_.origins.end() ? "" : place->second + ": ") +
                        (of_rules ? "exemplars.rules: " : "exemplars.policy: ") + text);
  }

  LoadedConfig loaded_;
  std::vector<std::string> problems_;
};

// Whatever stands for nothing in YAML ("~" is quoted anyway). Of true and numbers our reader takes
// the text, however it looks.
bool is_yaml_null(std::string_view text) {
  return text == "null" || text == "Null" || text == "NULL";
}

// Double-quoted YAML: every string that is not plainly harmless.
std::string yaml_scalar(std::string_view text) {
  const bool plain = !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_./:-") == std::string_view::npos &&
                     text.front() != '-' && text.front() != ':' && text.back() != ':' &&
                     !is_yaml_null(text) && text.find("---") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      append_hex(out, byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Printed origins are names of files, flags and variables; a line break in them ends no comment.
std::string origin_comment(const LoadedConfig& loaded, std::string_view key) {
  auto origin = loaded.origins.find(key);
  // A value set by a short form: otlp.traces.timeout by otlp.timeout.
  for (const std::string_view prefix : {"otlp.traces.", "otlp.metrics.", "otlp.logs."})
    if (origin == loaded.origins.end() && key.starts_with(prefix))
      origin = loaded.origins.find("otlp." + std::string(key.substr(prefix.size())));
  return origin == loaded.origins.end() ? "" : "  # " + escaped(origin->second);
}

}  // namespace

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  return ConfigLoader().load(sources);
}

Result<std::string> read_config_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return fail_errno(path + ": cannot be opened", errno);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return fail_errno(path + ": cannot be examined", errno);
  if (!S_ISREG(status.st_mode)) return fail(path + ": not a regular file");
  std::string text;
  std::array<char, 16384> block{};
  while (text.size() <= kMaxConfigFileBytes) {
    const auto got = read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(path + ": cannot be read", errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return fail(path + ": larger than 1MiB");
}

namespace {

std::string unset_line(const Setting& setting, std::string_view name) {
  const std::string value(setting.value_name);
  std::string line = "# " + std::string(name) + ": ";
  switch (setting.shape) {
    case SettingShape::kScalar:
      line += value;
      break;
    case SettingShape::kList:
      line += "[" + value + "]";
      break;
    case SettingShape::kMap:
      line += "{" + value + "}";
      break;
  }
  return line + "  # " + std::string(setting.sentence) + "\n";
}

}  // namespace

std::string config_yaml(const LoadedConfig& loaded, Origins origins) {
  std::string out;
  std::vector<std::string_view> open_sections;
  for (const auto& setting : all_settings()) {
    const auto entries = setting.print(loaded.config);
    std::vector<std::string_view> path;
    for (auto rest = setting.key; !rest.empty();) {
      const auto part = rest.substr(0, rest.find('.'));
      path.push_back(part);
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    }
    const std::size_t depth = path.size() - 1;
    bool same = true;
    for (std::size_t i = 0; i < depth; ++i) {
      same = same && i < open_sections.size() && open_sections[i] == path[i];
      if (!same) out += std::string(2 * i, ' ') + std::string(path[i]) + ":\n";
    }
    open_sections.assign(path.begin(), path.end() - 1);
    const std::string indent(2 * depth, ' ');
    const auto shown = [&](const SettingEntry& entry) {
      return yaml_scalar(setting.secret ? kHiddenSecret : std::string_view(entry.value));
    };
    if (entries.empty()) {
      out += indent + unset_line(setting, path.back());
      continue;
    }
    out += indent + std::string(path.back()) + ":";
    const auto comment =
        origins == Origins::kShown ? origin_comment(loaded, setting.key) : std::string();
    switch (setting.shape) {
      case SettingShape::kScalar:
        out += ' ';
        out += shown(entries[0]) + comment + "\n";
        break;
      case SettingShape::kList: {
        std::string list;
        for (const auto& entry : entries)
          list += (list.empty() ? "" : ", ") + shown(entry);
        out += " [" + list + "]" + comment + "\n";
        break;
      }
      case SettingShape::kMap:
        out += comment + "\n";
        for (const auto& entry : entries)
          out += indent + "  " + yaml_scalar(entry.key) + ": " + shown(entry) + "\n";
        break;
    }
  }
  return out;
}

}  // namespace exa
