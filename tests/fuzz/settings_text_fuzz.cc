// OTEL_* variables of any content over a file of any content: variables never prevent the start
// alone, and what --print-config prints loads again to the same configuration.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/load.h"
#include "agent/config/value_text.h"
#include "exporters/transfer/url_parts.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Secrets print as ***, which is no seed and another header.
exa::LoadedConfig without_secrets(exa::LoadedConfig loaded) {
  loaded.config.exemplars.seed.clear();
  for (auto* const signal :
       {&loaded.config.otlp.traces, &loaded.config.otlp.metrics, &loaded.config.otlp.logs})
    signal->headers.clear();
  return loaded;
}

void check_endpoint(const std::string& endpoint) {
  if (endpoint.empty()) return;
  const auto url = exa::url_parts(endpoint);
  if (!url) return;  // told when the configuration is checked
  for (const auto& text : {url->url, url->display})
    require(text.starts_with("http") &&
            std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }));
  const auto authority = url->display.find("://") + 3;
  require(url->display.find_first_of("?#") == std::string::npos &&
          url->display.substr(authority, url->display.find('/', authority) - authority).find('@') ==
              std::string::npos);
}

void check_headers(const exa::OtlpSignal& signal) {
  for (const auto& [name, value] : signal.headers) {
    require(!name.empty() && name.find_first_of(": \r\n") == std::string::npos);
    require(value.find_first_of("\r\n") == std::string::npos);
  }
}

}  // namespace

// Input: NUL between a file's text and the variables, and between those, each as NAME=VALUE.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::vector<std::string> parts(1);
  for (const char c : std::string_view(reinterpret_cast<const char*>(bytes), size)) {
    if (c == '\0')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  std::vector<const char*> block;
  for (std::size_t i = 1; i < parts.size(); ++i)
    block.push_back(parts[i].c_str());
  block.push_back(nullptr);
  const auto environment = exa::otel_environment(block.data());
  for (const auto& [name, value] : environment)
    require(name.starts_with("OTEL_") && name.find('=') == std::string::npos);

  const auto alone = exa::load_config({.environment = environment});
  if (!alone) require(alone.error().text.find("must be set together") != std::string::npos);

  const auto loaded = exa::load_config(
      {.file_name = "fuzz.yaml", .file_text = parts.front(), .environment = environment});
  const auto& config = loaded ? loaded : alone;
  if (!config) return 0;
  const auto& otlp = config->config.otlp;
  for (const auto* const signal : {&otlp.traces, &otlp.metrics, &otlp.logs}) {
    check_endpoint(signal->endpoint);
    check_headers(*signal);
  }
  const auto shown = without_secrets(*config);
  const auto origins = size % 2 == 0 ? exa::Origins::kShown : exa::Origins::kLeftOut;
  const auto again = exa::load_config(
      {.file_name = "printed.yaml", .file_text = exa::config_yaml(shown, origins)});
  require(again && again->config == shown.config);
  return 0;
}
