#!/usr/bin/env bash
# analyze.sh - clang's static analyser over runtime/: analyze.sh FOLDER DEPS. Exit status 77 where there is no analyser.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
folder=$1 deps=$(realpath "$2")
command -v scan-build >/dev/null || { echo "skipped: there is no scan-build (Debian: clang and clang-tools)"; exit 77; }
rm -rf "$folder"
mkdir -p "$folder"
scan=(scan-build -o "$folder/report" --status-bugs)
if "${scan[@]}" cmake -S . -B "$folder/tree" -G Ninja -DRETORT_DEPS="$deps" -DRETORT_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug >"$folder/log" 2>&1 &&
   "${scan[@]}" cmake --build "$folder/tree" --target retort_core >>"$folder/log" 2>&1; then
  echo "no findings"
else
  grep -E 'warning|error' "$folder/log"
  echo "the analyser found something; see $folder/log and $folder/report"
  exit 1
fi
