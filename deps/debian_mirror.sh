#!/usr/bin/env bash
# debian_mirror.sh - prints the address of the Debian mirror that this system's apt uses, else Debian's own.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ')
echo "${mirror:-http://deb.debian.org/debian}"
