#!/bin/sh
# Makes ready what the containers need on a bare Debian machine, as root: podman, and stand-ins for the public images
# (the same names are used where those can be had: then nothing of this is needed). Each step is skipped if it is done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

packages="podman buildah runc netavark aardvark-dns iptables uidmap debootstrap"
if ! command -v podman debootstrap aardvark-dns >/dev/null 2>&1 && ! test -x /usr/lib/podman/aardvark-dns; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages
fi
if ! test -e /etc/containers/containers.conf; then
  # Without the limits, runc fails with "setrlimit: Operation not permitted" in a container itself.
  cat > /etc/containers/containers.conf <<CONF
[containers]
default_ulimits=["nofile=1000:1000","nproc=1000:1000"]
[engine]
runtime="runc"
[network]
network_backend="netavark"
CONF
fi
command -v podman-compose >/dev/null || python3 -m pip install --quiet podman-compose

base=localhost/monitor-test-python:latest
if ! podman image exists $base; then
  folder=$(mktemp -d /var/tmp/monitor-base-XXXXXX)
  debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates bookworm "$folder"
  tar -C "$folder" -c . | podman import - $base
  rm -rf "$folder"
fi
if ! podman image exists localhost/monitor-test-postgres:latest; then
  podman build --network host -t localhost/monitor-test-postgres:latest -f "$here/postgres.Dockerfile" "$here"
fi
if ! podman image exists localhost/monitor-test-mailbox:latest; then
  podman build -t localhost/monitor-test-mailbox:latest -f "$here/mailbox.Dockerfile" "$here"
fi
