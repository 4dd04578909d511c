// A declarative configuration of any content, with variables of any content: problems and warnings
// have places, and what is accepted prints and reads back the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/load.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Input: NUL between the document and the variables, and between those, each as NAME=VALUE.
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

  const auto loaded = exa::load_config({.declarative_name = "fuzz.yaml",
                                        .declarative_text = parts.front(),
                                        .variables = exa::whole_environment(block.data())});
  if (!loaded) {
    const auto& text = loaded.error().text;
    require(text.starts_with("fuzz.yaml") ||
            (text.starts_with("otlp.") && text.find("must be set together") != std::string::npos));
    return 0;
  }
  for (const auto& warning : loaded->warnings)
    require(warning.starts_with("fuzz.yaml"));
  auto shown = *loaded;
  // Secrets print as ***, which is another header.
  shown.config.otlp.traces.headers.clear();
  shown.config.otlp.metrics.headers.clear();
  const auto again =
      exa::load_config({.file_name = "printed.yaml", .file_text = exa::config_yaml(shown)});
  require(again && again->config == shown.config);
  return 0;
}
