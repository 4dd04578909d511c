// Texts of /proc as a hostile process would write them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/config/value_text.h"
#include "agent/discovery/target_builder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto half = text.size() / 2;
  exa::ProcessFacts facts;
  if (const auto stat = exa::parse_proc_stat(text)) facts.comm = stat->comm;
  facts.cgroup = exa::parse_cgroup(text);
  facts.environment = exa::parse_environ(text);
  facts.exe_path = "/usr/bin/python3";
  for (const auto* const executable : {"python3", "node", "java", "uwsgi"}) {
    const auto program = exa::program_name(executable, text);
    if (program.name.size() + program.folder.size() > 2 * text.size() + 16) std::abort();
    facts.script = exa::folder_name(text.substr(0, text.size() / 2), program.folder);
    if (facts.script.find('/') != std::string::npos) std::abort();
    if (facts.script.empty()) facts.script = program.name;
  }
  facts.environment.resource_attributes += text.substr(0, half);
  if (const auto id = exa::container_id(text); !id.empty() && id.size() != 64) std::abort();

  const exa::TargetSettings settings{.include = {.cgroup = {"/system.slice"}}};
  const auto target = exa::build_target(settings, {.host_name = "h", .agent_version = "1"}, facts);
  if (target.service_name.size() > 255 || target.resource->attributes.size() > 64) std::abort();
  for (const auto& attribute : target.resource->attributes)
    if (const auto* value = std::get_if<std::string>(&attribute.value))
      for (const char c : *value)
        if (static_cast<unsigned char>(c) < 0x20) std::abort();
  return 0;
}
