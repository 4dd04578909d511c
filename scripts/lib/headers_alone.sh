#!/usr/bin/env bash
# Compiles each header by itself, so that none counts on what others include before it: those of the
# product and of the tests as C++, pure ones of bpf/ also as C, and BPF-only ones as BPF programs.
#
#   scripts/lib/headers_alone.sh            every header, tracked or not
#   scripts/lib/headers_alone.sh --changed  those changed since the last commit, the latest 20
#   scripts/lib/headers_alone.sh FILE...
set -euo pipefail
cd "$(dirname "$0")/../.."

# What is included in the middle of another file, by design.
parts='^bpf/lib/(frame_walk\.h|frames\.bpf\.h)$'

listed() {
  case "${1:-}" in
    "") git ls-files --cached --others --exclude-standard -- '*.h' ;;
    --changed) git diff --name-only --diff-filter=d HEAD -- '*.h'
               git ls-files --others --exclude-standard -- '*.h' ;;
    *) printf '%s\n' "$@" ;;
  esac
}

mapfile -t headers < <(listed "$@" | grep -E '^(include|agent|exporters|bpf|tests)/' |
  grep -Ev "$parts" | sort -u | while read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done)
if [ "${1:-}" = --changed ] && [ ${#headers[@]} -gt 20 ]; then
  echo "headers: ${#headers[@]} changed, of which 20 are compiled; scripts/lint --all takes all"
  mapfile -t headers < <(stat -c '%Y %n' -- "${headers[@]}" | sort -rn | head -n 20 | cut -d' ' -f2-)
fi
if [ ${#headers[@]} -eq 0 ]; then
  echo "headers: none to compile"
  exit 0
fi

# cxx HEADER FLAG...; the definitions are those that the build gives to tests.
cxx() {
  "${CXX:-g++}" -std=c++23 -fsyntax-only -Ibuild/dev/skeletons -I. -Iinclude "${@:2}" \
    '-DEXA_CORPUS_DIR=""' '-DEXA_SOURCE_DIR=""' '-DEXA_TEST_PYTHON=""' '-DEXA_TEST_SUPPORT_DIR=""' \
    -include "$1" -x c++ /dev/null
}
bpf() {
  # What programs include first, wherever they are.
  clang -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -std=gnu11 -fsyntax-only -Wall -Wextra -Werror \
    -Wno-unused-parameter -Wno-unused-function -I. -Iinclude -include bpf/lib/kernel_types.bpf.h \
    -include "$1" -x c /dev/null
}
one() {
  case "$1" in
    *.bpf.h) bpf "$1" ;;
    # C that tests compile, too: it has idioms of which C++ warns.
    bpf/*) bpf "$1" && cxx "$1" ;;
    tests/*) cxx "$1" ;;
    *) cxx "$1" -Wall -Wextra -Werror ;;
  esac || { echo "$1 does not compile alone" >&2; return 1; }
}
export -f cxx bpf one
# shellcheck disable=SC2016  # expanded by the shell that xargs starts
printf '%s\0' "${headers[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'one "$1"' one
echo "headers: ${#headers[@]} compile alone"
