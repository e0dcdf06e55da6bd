#!/usr/bin/env bash
# shell.sh - every script is one that bash can read and that ShellCheck has nothing against. Exit status 77 where there is no ShellCheck.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t scripts < <(find build.sh .ci tools deps wasm tests -name '*.sh' -o -path '.ci/*' -type f | sort)
for script in "${scripts[@]}"; do bash -n "$script"; done
[ "$(wc -l <build.sh)" -le 150 ] || { echo "build.sh has $(wc -l <build.sh) lines, 150 are allowed"; exit 1; }
command -v shellcheck >/dev/null || { echo "skipped: bash can read them; ShellCheck is not installed"; exit 77; }
shellcheck -S warning "${scripts[@]}"
echo "${#scripts[@]} scripts"
