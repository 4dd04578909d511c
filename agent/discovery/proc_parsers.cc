#include "agent/discovery/proc_parsers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "agent/discovery/container/cgroup_path.h"

namespace exa {
namespace {

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// Takes the text up to the separator off the front.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Length of the valid UTF-8 sequence at the front, 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = at(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f) ||
      (lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) > 0x8f))
    return 0;
  return length;
}

std::string_view without_extension(std::string_view name) {
  for (const std::string_view extension :
       {".py", ".js", ".mjs", ".cjs", ".ts", ".jar", ".rb", ".pl", ".php"})
    if (name.size() > extension.size() && name.ends_with(extension))
      return name.substr(0, name.size() - extension.size());
  return name;
}

// How an interpreter is told what to run.
struct Interpreter {
  std::string_view name;            // versions may follow: python3.11
  std::string_view program_option;  // the next argument names the program: -m, -jar
  std::string_view text_option;     // the program is the argument itself: no name
};
constexpr std::array<Interpreter, 7> kInterpreters = {{{"python", "-m", "-c"},
                                                       {"nodejs", "", "-e"},
                                                       {"node", "", "-e"},
                                                       {"java", "-jar", ""},
                                                       {"ruby", "", "-e"},
                                                       {"perl", "", "-e"},
                                                       {"php", "", "-r"}}};
// Options whose value is an argument of its own, so that it is not taken for the program.
constexpr std::array<std::string_view, 10> kOptionsWithValue = {
    "-W", "-X", "-r", "--require", "--import", "-cp", "-classpath", "--class-path", "-I", "-p"};

const Interpreter* interpreter_of(std::string_view executable) {
  for (const auto& interpreter : kInterpreters)
    if (executable.starts_with(interpreter.name) &&
        executable.substr(interpreter.name.size()).find_first_not_of("0123456789.") ==
            std::string_view::npos)
      return &interpreter;
  return nullptr;
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  ProcStat stat;
  stat.comm = text.substr(open + 1, close - open - 1);
  auto rest = text.substr(close + 1);
  if (!rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  // Fields 3 (state), 4 (parent) ... 22 (start time).
  for (int field = 3; field <= 22; ++field) {
    const auto value = take(rest, ' ');
    if (field == 4) {
      const auto parent = number<std::uint32_t>(value);
      if (!parent) return std::nullopt;
      stat.parent = *parent;
    } else if (field == 22) {
      const auto start = number<std::uint64_t>(value);
      if (!start) return std::nullopt;
      stat.start_ticks = *start;
    }
  }
  return stat;
}

OtelEnvironment parse_environ(std::string_view bytes) {
  OtelEnvironment found;
  while (!bytes.empty()) {
    const auto end = bytes.find('\0');
    if (end == std::string_view::npos) break;
    const auto variable = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    constexpr std::string_view kName = "OTEL_SERVICE_NAME=";
    constexpr std::string_view kAttributes = "OTEL_RESOURCE_ATTRIBUTES=";
    if (variable.starts_with(kName))
      found.service_name = variable.substr(kName.size());
    else if (variable.starts_with(kAttributes))
      found.resource_attributes = variable.substr(kAttributes.size());
  }
  return found;
}

std::string parse_cgroup(std::string_view text) {
  return choose_cgroup_path(text);
}

std::string systemd_unit(std::string_view cgroup) {
  return identify_cgroup(cgroup).systemd_unit;
}

std::string container_id(std::string_view cgroup) {
  return identify_cgroup(cgroup).container_id;
}

std::string script_name(std::string_view executable, std::string_view cmdline) {
  const auto* const interpreter = interpreter_of(base_name(executable));
  if (interpreter == nullptr) return {};
  take(cmdline, '\0');
  while (!cmdline.empty()) {
    const auto argument = take(cmdline, '\0');
    if (!interpreter->text_option.empty() && argument == interpreter->text_option) return {};
    if (!interpreter->program_option.empty() && argument == interpreter->program_option)
      return std::string(without_extension(base_name(take(cmdline, '\0'))));
    if (std::ranges::find(kOptionsWithValue, argument) != kOptionsWithValue.end()) {
      take(cmdline, '\0');
      continue;
    }
    if (argument.starts_with('-')) continue;
    return std::string(without_extension(base_name(argument)));
  }
  return {};
}

std::string clean_text(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const bool control =
        length == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7f);
    const auto piece = length == 0 || control ? std::string_view("?") : text.substr(0, length);
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace exa
