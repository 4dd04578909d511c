#include "exporters/transfer/url_parts.h"

#include <curl/curl.h>

#include <charconv>
#include <memory>

namespace exa {
namespace {

struct UrlCloser {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlCloser>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

Result<UrlParts> url_parts(const std::string& text) {
  const Url url(curl_url());
  if (!url) return fail("out of memory");
  const CURLUcode parsed = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (parsed != CURLUE_OK) return fail(curl_url_strerror(parsed));
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return fail("its scheme is neither http nor https");
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);

  UrlParts parts;
  parts.url = part(url.get(), CURLUPART_URL);
  parts.host = part(url.get(), CURLUPART_HOST);
  const std::string port = part(url.get(), CURLUPART_PORT);
  parts.display = scheme + "://" + parts.host + (port.empty() ? "" : ":" + port) +
                  part(url.get(), CURLUPART_PATH);
  const auto whole_port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(whole_port.data(), whole_port.data() + whole_port.size(), parts.port);
  return parts;
}

}  // namespace exa
