#!/usr/bin/env bash
# Installs the real browser, the real database server and the real mail server that the tests use, from Debian's
# packages, where they lack. Of Chromium the build without windows: it takes half the time of the whole one.
# Without the right to install, the tests that need them are skipped with their reason (and fail where CI=true).
set -euo pipefail

missing=()
command -v chromium-headless-shell >/dev/null || missing+=(chromium-headless-shell fonts-liberation)
command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] || missing+=(dovecot-imapd)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not here: ${missing[*]}. Tests that need them take what else is there, or are skipped;"
    echo "on Debian: sudo apt-get install ${missing[*]}"
    exit 0
fi

echo "Installing ${missing[*]} for the tests …"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    exit 1
fi
