# bash completion of exemplar-agent. Generated from the tables in the code.
# shellcheck shell=bash
_exemplar_agent() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W 'run check status explain replay version --help --version' -- "$word")
    return
  fi
  case $before in
    --config|--lock-file|--record|replay)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return ;;
    --output) words="auto table json none" ;;
    --sort) words="time rate errors p99 max name" ;;
    --tls) words="true false" ;;
    --openmetrics) words="HOST:PORT off" ;;
    --log-format) words="text json" ;;
    *)
      case ${COMP_WORDS[1]} in
        status|explain) words='--json --config --lock-file --help' ;;
        replay) words='--config --output --rows --sort --otlp-endpoint --help' ;;
        run|check) words='--config --print-config --help --window --output --rows --sort --record --lock-file --include-exe --include-pid --include-port --include-cgroup --exclude-exe --exclude-pid --exclude-port --exclude-cgroup --ring-size --tls --exemplar-budget --otlp-endpoint --openmetrics --log-level --log-format' ;;
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _exemplar_agent exemplar-agent
