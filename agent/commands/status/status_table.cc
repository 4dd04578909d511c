#include "agent/commands/status/status_table.h"

#include <algorithm>
#include <cstdint>

#include "agent/commands/status/told_json.h"
#include "exporters/console/safe_text.h"

namespace exa {
namespace {

// What is missing shows as "?": the use keeps its line.
std::string shown_text(const ToldJson& object, const char* key) {
  const auto value = value_in(object, key);
  return value.is_string() ? terminal_safe(value.get_ref<const std::string&>()) : "?";
}

std::string shown_number(const ToldJson& object, const char* key) {
  const auto value = value_in(object, key);
  return value.is_number_unsigned() ? std::to_string(value.get<std::uint64_t>()) : "?";
}

std::string connections_in(const ToldJson& use) {
  const auto number = shown_number(use, "connections");
  if (number == "?" || number == "0") return {};
  return ": " + number + (number == "1" ? " connection" : " connections");
}

// Texts to the left and numbers to the right, as far as they fit.
std::string left(const std::string& text, std::size_t width) {
  const auto columns = columns_of(text);
  return columns >= width ? text : text + std::string(width - columns, ' ');
}
std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string row(const std::string& pid, const std::string& executable, const std::string& library,
                const std::string& probes, const std::string& tls) {
  return left(pid, 8) + ' ' + left(executable, 32) + ' ' + left(library, 14) + ' ' +
         right(probes, 6) + "  " + tls + '\n';
}

// Processes that wanted more than their share of something. Nothing if there are none.
std::string over_share_table(const ToldJson& status) {
  const auto all = list_in(status, "over_share");
  if (all.empty()) return {};
  std::string table = '\n' + left("PID", 8) + ' ' + left("COMMAND", 32) + ' ' +
                      left("SHARE OF", 20) + ' ' + right("REFUSED", 12) + '\n';
  for (const auto& one : all)
    table += left(shown_number(one, "pid"), 8) + ' ' + left(shown_text(one, "command"), 32) + ' ' +
             left(shown_text(one, "share_of"), 20) + ' ' + right(shown_number(one, "refused"), 12) +
             '\n';
  return table;
}

}  // namespace

Result<std::string> status_table(std::string_view json) {
  const auto status = parsed_told(json);
  const auto processes = value_in(status, "processes");
  if (!processes.is_array()) return fail("does not contain a status");
  std::string table = row("PID", "EXECUTABLE", "LIBRARY", "PROBES", "TLS");
  for (const auto& process : processes) {
    const auto uses = value_in(process, "tls");
    if (!uses.is_array()) return fail("contains a process of unknown form");
    for (const auto& use : uses) {
      const auto library = shown_text(use, "library");
      table += row(
          shown_number(process, "pid"), shown_text(process, "executable"),
          library.empty() ? "-" : library, shown_number(use, "probes"),
          shown_text(use, "reason") + connections_in(use) + " (" + shown_text(use, "path") + ")");
    }
  }
  return table + over_share_table(status);
}

}  // namespace exa
