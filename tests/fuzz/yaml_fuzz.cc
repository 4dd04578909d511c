// Any file at all: problems have places, and what is accepted prints and reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto loaded = exa::load_config({.file_name = "fuzz.yaml", .file_text = text});
  if (!loaded) {
    if (!loaded.error().text.starts_with("fuzz.yaml") && !loaded.error().text.starts_with("otlp."))
      std::abort();
    return 0;
  }
  auto shown = *loaded;
  // Secrets print as ***, which is no seed.
  shown.config.exemplars.seed.clear();
  shown.config.otlp.traces.headers.clear();
  shown.config.otlp.metrics.headers.clear();
  const auto again =
      exa::load_config({.file_name = "fuzz.yaml", .file_text = exa::config_yaml(shown)});
  if (!again || !(again->config == shown.config)) std::abort();
  return 0;
}
