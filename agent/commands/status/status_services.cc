#include "agent/commands/status/status_services.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "agent/commands/status/told_json.h"
#include "agent/discovery/tls/connection_reasons.h"
#include "exa/base/readable_duration.h"
#include "exporters/console/safe_text.h"

namespace exa {
namespace {

// Why TLS of a process is not read, by its number.
using Reasons = std::map<std::uint64_t, std::set<std::string>>;
Reasons unread_reasons(const ToldJson& processes) {
  Reasons reasons;
  for (const ToldJson& process : list_in(processes, "processes"))
    for (const ToldJson& use : list_in(process, "tls"))
      if (auto reason = text_in(use, "reason"); is_unread_reason(reason))
        reasons[number_in(process, "pid")].insert(std::move(reason));
  return reasons;
}

std::string read_text(const ToldJson& service) {
  std::string text;
  for (const ToldJson& protocol : list_in(service, "spoken"))
    if (protocol.is_string())
      text += (text.empty() ? "" : ", ") + terminal_safe(protocol.get<std::string>());
  return text.empty() ? "-" : text;
}

// At least so many: of those that overflowed it is not known whether they are any.
std::string errors_text(const ToldJson& service) {
  return std::to_string(number_in(service, "errors")) +
         (number_in(service, "overflow") == 0 ? "" : "+");
}

std::string overflow_text(std::uint64_t overflow) {
  if (overflow == 0) return {};
  return "+: there may be more among the " + std::to_string(overflow) +
         " requests counted in overflow series (otel.metric.overflow)\n";
}

std::string unread_text(const ToldJson& service, const Reasons& reasons) {
  std::set<std::string> all;
  for (const ToldJson& pid : list_in(service, "pids"))
    if (pid.is_number_integer())
      if (const auto known = reasons.find(pid.get<std::uint64_t>()); known != reasons.end())
        all.insert(known->second.begin(), known->second.end());
  std::string text;
  for (const std::string& reason : all)
    text += (text.empty() ? "" : "; ") + terminal_safe(reason);
  return text.empty() ? "-" : text;
}

constexpr std::size_t kColumns = 7;
using Row = std::array<std::string, kColumns>;

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows)
    for (std::size_t c = 0; c < kColumns; ++c)
      widths[c] = std::max(widths[c], columns_of(row[c]));
  std::string table;
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < kColumns; ++c) {
      const std::string blank(widths[c] - columns_of(row[c]), ' ');
      const bool is_number = c >= 1 && c <= 3;
      table += c == 0 ? "" : "  ";
      table += is_number ? blank + row[c] : row[c];
      if (!is_number && c + 1 < kColumns) table += blank;
    }
    table += '\n';
  }
  return table;
}

}  // namespace

Result<std::string> services_table(std::string_view services, std::string_view processes,
                                   WallTime now) {
  const auto told = parsed_told(services);
  const auto found = parsed_told(processes);
  if (told.is_discarded() || found.is_discarded()) return fail("does not contain a status");
  const auto reasons = unread_reasons(found);
  std::vector<Row> rows = {
      {"SERVICE", "SERVED", "CALLED", "ERRORS", "LAST REQUEST", "READ", "NOT READ"}};
  std::uint64_t overflow = 0;
  for (const ToldJson& service : list_in(told, "services")) {
    overflow += number_in(service, "overflow");
    const auto name = terminal_safe(text_in(service, "name"));
    rows.push_back({name.empty() ? "-" : fitted(name, 60),
                    std::to_string(number_in(service, "served")),
                    std::to_string(number_in(service, "called")), errors_text(service),
                    readable_age(number_in(service, "last_unix_ms"), now.ns / 1'000'000) + " ago",
                    read_text(service), unread_text(service, reasons)});
  }
  if (rows.size() == 1) return "no service has received or sent a request yet\n";
  return aligned(rows) + overflow_text(overflow);
}

Result<std::string> status_json(std::string_view services, std::string_view processes) {
  auto all = parsed_told(processes);
  const auto told = parsed_told(services);
  if (told.is_discarded() || all.is_discarded()) return fail("does not contain a status");
  all["services"] = list_in(told, "services");
  if (!all.contains("processes")) all["processes"] = ToldJson::array();
  return all.dump(2, ' ', false, ToldJson::error_handler_t::replace) + "\n";
}

}  // namespace exa
