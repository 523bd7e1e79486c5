#!/bin/sh
# Builds the image from the Dockerfile, with this machine's own pip configuration and certificates lent to the build.
set -eu
cd "$(dirname "$0")/../.."
lent=""
for path in /etc/ssl/certs /etc/xdg/pip /etc/pip.conf $(python3 -m pip config list 2>/dev/null |
    tr "' " '\n\n' | sed -n 's#^\(file://\)\{0,1\}\(/[^/]*/[^/]*\).*#\2#p' | sort -u); do
  case $path in /etc/ssl*) test "$lent" != "${lent#*/etc/ssl}" && continue;; esac
  if test -e "$path"; then lent="$lent --volume $path:$path:ro"; fi
done
for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\|SSL_CERT_FILE\|REQUESTS_CA_BUNDLE\)=.*/\1/p'); do lent="$lent --env $name"; done
extra=$(python3 -m pip config get global.extra-index-url 2>/dev/null || true)
if test -n "$extra"; then lent="$lent --env PIP_EXTRA_INDEX_URL"; export PIP_EXTRA_INDEX_URL="$extra"; fi
exec podman build --format docker --network host --build-arg BASE="${BASE:-localhost/monitor-test-python:latest}" $lent \
  -t "roadmap-monitor:${MONITOR_TAG:-test}" .
