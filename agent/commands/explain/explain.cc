#include "agent/commands/explain/explain.h"

#include <cstdio>

#include "agent/commands/explain/explanation_text.h"
#include "agent/commands/status/running_agent.h"
#include "agent/config/config.h"
#include "agent/model/exit_codes.h"
#include "exa/base/time.h"

namespace exa {

int print_explanation(const Config& config, ToldForm form) {
  const auto told = told_by_agent(config);
  const auto text =
      !told ? Result<std::string>(std::unexpected(told.error()))
      : form == ToldForm::kJson
          ? explanation_as_json(told->windows)
          : explanation_text(told->windows, measure_wall_clock_offset().to_wall(monotonic_now()));
  if (!text) {
    std::fprintf(stderr, "exemplar-agent: %s\n", text.error().text.c_str());
    return kExitFailure;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return kExitOk;
}

}  // namespace exa
