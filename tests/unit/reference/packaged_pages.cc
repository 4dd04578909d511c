#include <string>
#include <string_view>

#include "agent/config/setting.h"
#include "tests/unit/reference/default_of.h"
#include "tests/unit/reference/reference.h"

namespace exa::testing {
namespace {

// troff: a line must not begin with a dot or a quote, and a minus is a hyphen unless escaped.
std::string in_manual(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

}  // namespace

std::string manual_page() {
  std::string page =
      R"(.\" Generated from the tables in the code; see agent/REFERENCE.md.
.TH EXEMPLAR\-AGENT 8 "" "exemplar\-agent" "System Administration"
.SH NAME
exemplar\-agent \- latency histograms of every request, with exemplars that open their traces
.SH SYNOPSIS
.B exemplar\-agent run
.RI [ OPTIONS ]
.br
.B exemplar\-agent check
.RI [ OPTIONS ]
.br
.B exemplar\-agent status
.RB [ \-\-json ]
.RB [ \-\-lock\-file
.IR FILE ]
.br
.B exemplar\-agent explain
.RB [ \-\-json ]
.RB [ \-\-lock\-file
.IR FILE ]
.br
.B exemplar\-agent replay
.I FILE
.SH DESCRIPTION
Observes the sockets and TLS libraries of this host with eBPF, without changing traffic or data, and exports
histograms with exemplars and the traces they open. The observed programs need no change.
.SH COMMANDS
.TP
.B run
observes until stopped by a signal. SIGHUP reloads the configuration.
.TP
.B check
reports whether the agent can run here as configured, and what each missing feature costs.
.TP
.B status
shows what the running agent has counted for each service, what it cannot read, and why.
.TP
.B explain
says what was slow and what failed in the running agent's last window, and why.
.TP
.B replay
recomputes the results of a recording.
.TP
.B version
prints the version.
.SH OPTIONS
.TP
.BI \-\-config " FILE"
YAML file with settings.
.TP
.B \-\-print\-config
prints the effective configuration, with unset settings as comments, and exits.
)";
  for (const auto& setting : all_settings()) {
    if (setting.flag.empty()) continue;
    page += ".TP\n.BI " + in_manual(setting.flag) + " \" " + in_manual(setting.value_name) +
            "\"\n" + in_manual(setting.sentence);
    const auto otherwise = default_of(setting);
    page += (otherwise.empty() ? "" : " (" + in_manual(otherwise) + ")") + ".\n";
  }
  page += R"(.SH ENVIRONMENT
The variables
.B OTEL_*
of the OpenTelemetry specification, where they apply; others log a warning.
.SH FILES
.TP
.I /etc/exemplar\-agent/agent.yaml
settings of the service
.TP
.I /etc/default/exemplar\-agent
its environment, for secrets
.TP
.I /run/exemplar\-agent.lock
held while an agent runs
.SH EXIT STATUS
0 clean exit, 1 failure, 2 bad configuration, 3 another agent is already running.
)";
  return page;
}

std::string bash_completion() {
  std::string flags = "--config --print-config --help";
  std::string values;
  for (const auto& setting : all_settings()) {
    if (setting.flag.empty()) continue;
    flags += " " + std::string(setting.flag);
    std::string choices(setting.value_name);
    if (choices.find('|') == std::string::npos && choices != "BOOL") continue;
    if (choices == "BOOL") choices = "true|false";
    for (char& c : choices)
      if (c == '|') c = ' ';
    values += "    " + std::string(setting.flag) + ") words=\"" + choices + "\" ;;\n";
  }
  return "# bash completion of exemplar-agent. Generated from the tables in the code.\n"
         "# shellcheck shell=bash\n"
         "_exemplar_agent() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W 'run check status explain replay version --help "
         "--version' "
         "-- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  case $before in\n"
         "    --config|--lock-file|--record|replay)\n"
         "      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "      return ;;\n" +
         values +
         "    *)\n"
         "      case ${COMP_WORDS[1]} in\n"
         "        status|explain) words='--json --config --lock-file --help' ;;\n"
         "        replay) words='--config --output --rows --sort --otlp-endpoint --help' ;;\n"
         "        run|check) words='" +
         flags +
         "' ;;\n"
         "      esac ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -F _exemplar_agent exemplar-agent\n";
}

}  // namespace exa::testing
