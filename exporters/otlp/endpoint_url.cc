#include "exporters/otlp/endpoint_url.h"

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

Result<SignalUrl> signal_url(std::string_view base_endpoint, std::string_view own_endpoint,
                             std::string_view signal_path, bool insecure) {
  const bool own = !own_endpoint.empty();
  std::string text(own ? own_endpoint : base_endpoint);
  // The text itself may hold a password, so it is not repeated.
  const auto refuse = [](const std::string& why) {
    return fail("the OTLP endpoint is not usable: " + why +
                "; give it as http://HOST:4318 or https://HOST:PORT/PATH");
  };
  if (text.find("://") == std::string::npos) text = (insecure ? "http://" : "https://") + text;

  const Url url(curl_url());
  if (!url) return refuse("out of memory");
  const CURLUcode parsed = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (parsed != CURLUE_OK) return refuse(curl_url_strerror(parsed));

  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("its scheme is neither http nor https");

  std::string path = part(url.get(), CURLUPART_PATH);
  if (!own) {
    while (!path.empty() && path.back() == '/')
      path.pop_back();
    path += signal_path;
    if (curl_url_set(url.get(), CURLUPART_PATH, path.c_str(), 0) != CURLUE_OK)
      return refuse("its path is malformed");
  }
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);

  SignalUrl result;
  result.url = part(url.get(), CURLUPART_URL);
  const std::string port = part(url.get(), CURLUPART_PORT);
  result.display = scheme + "://" + part(url.get(), CURLUPART_HOST) +
                   (port.empty() ? "" : ":" + port) + part(url.get(), CURLUPART_PATH);
  result.host = part(url.get(), CURLUPART_HOST);
  const auto whole_port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(whole_port.data(), whole_port.data() + whole_port.size(), result.port);
  return result;
}

}  // namespace exa
