#include "exporters/transfer/http_headers.h"

#include <curl/curl.h>

#include <algorithm>
#include <string_view>

namespace exa {

void HttpHeaders::Release::operator()(curl_slist* list) const noexcept {
  curl_slist_free_all(list);
}

bool HttpHeaders::add(const std::string& name, const std::string& value) {
  // libcurl wants "Name;" for a header without a value.
  return append(value.empty() ? name + ";" : name + ": " + value);
}

bool HttpHeaders::leave_out(const std::string& name) {
  return append(name + ":");
}

bool HttpHeaders::append(const std::string& line) {
  curl_slist* const head = curl_slist_append(list_.get(), line.c_str());
  if (head == nullptr) return false;
  if (!list_) list_.reset(head);  // once there, it stays the head
  return true;
}

bool header_allowed(const std::string& name, const std::string& value) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  const auto name_ok = [&](unsigned char c) {
    return c > 0x20 && c < 0x7f && kSeparators.find(static_cast<char>(c)) == std::string::npos;
  };
  const auto value_ok = [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); };
  return !name.empty() && std::all_of(name.begin(), name.end(), name_ok) &&
         std::all_of(value.begin(), value.end(), value_ok);
}

}  // namespace exa
