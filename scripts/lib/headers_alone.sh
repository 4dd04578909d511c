#!/usr/bin/env bash
# Compiles each header of the rooms by itself, so that none counts on what others include before it.
#
#   scripts/lib/headers_alone.sh       after scripts/build dev, for the generated ones
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t headers < <(git ls-files 'include/*.h' 'agent/*.h' 'exporters/*.h')
printf '%s\0' "${headers[@]}" |
  xargs -0 -I HEADER -P "$(nproc)" "${CXX:-g++}" -std=c++23 -fsyntax-only -Wall -Wextra -Werror \
    -Ibuild/dev/skeletons -I. -Iinclude -include HEADER -x c++ /dev/null
echo "headers: ${#headers[@]} compile alone"
