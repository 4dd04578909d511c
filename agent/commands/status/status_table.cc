#include "agent/commands/status/status_table.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "agent/commands/status/running_agent.h"
#include "exporters/console/safe_text.h"

namespace exa {
namespace {

using Json = nlohmann::json;

const Json* list_in(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

std::string text_in(const Json& object, const char* key) {
  if (!object.is_object()) return "?";
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? terminal_safe(found->get_ref<const std::string&>())
             : "?";
}

std::string number_in(const Json& object, const char* key) {
  if (!object.is_object()) return "?";
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned()
             ? std::to_string(found->get<std::uint64_t>())
             : "?";
}

std::string connections_in(const Json& use) {
  const auto number = number_in(use, "connections");
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
std::string over_share_table(const Json& status) {
  const auto* const all = list_in(status, "over_share");
  if (all == nullptr || all->empty()) return {};
  std::string table = '\n' + left("PID", 8) + ' ' + left("COMMAND", 32) + ' ' +
                      left("SHARE OF", 20) + ' ' + right("REFUSED", 12) + '\n';
  for (const auto& one : *all)
    table += left(number_in(one, "pid"), 8) + ' ' + left(text_in(one, "command"), 32) + ' ' +
             left(text_in(one, "share_of"), 20) + ' ' + right(number_in(one, "refused"), 12) + '\n';
  return table;
}

}  // namespace

Result<std::string> status_table(std::string_view json) {
  const auto status = json.size() <= kMaxToldBytes ? Json::parse(json, nullptr, false)
                                                   : Json(Json::value_t::discarded);
  const auto* const processes = list_in(status, "processes");
  if (processes == nullptr) return fail("does not contain a status");
  std::string table = row("PID", "EXECUTABLE", "LIBRARY", "PROBES", "TLS");
  for (const auto& process : *processes) {
    const auto* const uses = list_in(process, "tls");
    if (uses == nullptr) return fail("contains a process of unknown form");
    for (const auto& use : *uses) {
      const auto library = text_in(use, "library");
      table +=
          row(number_in(process, "pid"), text_in(process, "executable"),
              library.empty() ? "-" : library, number_in(use, "probes"),
              text_in(use, "reason") + connections_in(use) + " (" + text_in(use, "path") + ")");
    }
  }
  return table + over_share_table(status);
}

}  // namespace exa
