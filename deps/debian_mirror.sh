#!/usr/bin/env bash
# debian_mirror.sh - prints the address of the Debian mirror that this system's apt uses; fails where it uses none (Ubuntu).
cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' | grep .
