#!/bin/sh
# The compose installation for real: built, brought up, fed, killed at, taken down and up again. Needs root and podman.
#
#   make compose-test            all of it, some minutes
#   KEEP=1 make compose-test     leaves it running at the end
set -eu
cd "$(dirname "$0")/../.."
tests/compose/prepare.sh
MONITOR_TAG=test tests/compose/build.sh

export MONITOR_TAG=test MONITOR_BASE_IMAGE=localhost/monitor-test-python:latest
export MONITOR_POSTGRES_IMAGE=localhost/monitor-test-postgres:latest
export MONITOR_MAILBOX_IMAGE=localhost/monitor-test-mailbox:latest
export MONITOR_SMTP_HOST=mailbox MONITOR_SMTP_PORT=1025 MONITOR_SMTP_SECURITY=none
export MONITOR_CONTACT=desk@example.org MONITOR_POSTAL_ADDRESS="1 Example Street" MONITOR_POLL_ALLOW_LOOPBACK=true
export PODMAN_COMPOSE_WARNING_LOGS=false
project=monitor-compose-test
# Podman 4 cannot start a container whose dependencies have dependencies, and its compose does not wait for health: the
# order that docker-compose.yml declares is kept by this script instead.
python3 - > docker-compose.test.yml <<'PYTHON'
import yaml

with open("docker-compose.yml") as file:
    found = yaml.safe_load(file)
for service in found["services"].values():
    service.pop("depends_on", None)
print(yaml.safe_dump({key: value for key, value in found.items() if not key.startswith("x-")}))
PYTHON
compose() { podman-compose -p $project -f docker-compose.test.yml -f tests/compose/override.yml --profile mailbox "$@"; }
up() {
  compose up -d "$@" > /tmp/$project.log 2>&1 || { tail -40 /tmp/$project.log; fail "compose up $*"; }
}
finished() { test "$(podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$(container "$1")")" = "exited 0"; }
bring_up() {
  up keys && wait_for 60 "keys are there" finished keys
  up database mailbox && wait_for 180 "database is healthy" healthy database
  up migrate && wait_for 180 "the schema is up to date" finished migrate
  up web scheduler worker-1 worker-2
  for service in web scheduler worker-1 worker-2; do wait_for 180 "$service is healthy" healthy $service; done
}
container() { podman ps --all --filter "name=${project}_$1_1\$" --format '{{.ID}}'; }
say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }
sql() { podman exec "$(container database)" psql -qAt -U monitor monitor -c "$1"; }
fail() { say "FAILED: $*"; compose logs 2>&1 | tail -80; exit 1; }
wait_for() { # seconds, what, command...
  left=$1 what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 2)); test $left -gt 0 || fail "$what"
    sleep 2
  done
  say "ok: $what"
}
healthy() { podman healthcheck run "$(container "$1")"; }
clean() { compose down --volumes >/dev/null 2>&1 || true; rm -f docker-compose.test.yml; }
test -n "${KEEP:-}" || trap clean EXIT
compose down --volumes >/dev/null 2>&1 || true

say "up"
bring_up
podman ps --all --filter "name=$project" --format '{{.Names}}: {{.Status}}'

say "each runs as an ordinary user on a read-only root"
for service in web scheduler worker-1 worker-2; do
  test "$(podman exec "$(container $service)" id -u)" = 10001 || fail "$service runs as root"
  if podman exec "$(container $service)" touch /app/x 2>/dev/null; then fail "$service can write to /app"; fi
done
! podman inspect "$(container web)" | grep -q "$(podman exec "$(container web)" cat /keys/database_password)" \
  || fail "the password is in the container's configuration"

in_web() { podman exec "$(container web)" "$@"; }
feed() { podman exec -d "$(container "$1")" python3 /feed.py; }
for service in web worker-1 worker-2; do feed $service; done
wait_for 20 "the web page answers" in_web python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz')"
say "readyz: $(in_web python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').read().decode())")"

say "a loopback feed, a subscriber"
sql "UPDATE source SET state = 'paused'" # the shipped sources lie outside
in_web monitor source add http://127.0.0.1:9000/feed --agency "Test agency" --country CA --language en --yes \
  || fail "source add"
in_web monitor subscriber add reader@example.org --language en --zone UTC || fail "subscriber add"
polled() { test "$(sql "SELECT count(*) FROM item")" = 2; }
matched() { test "$(sql "SELECT count(*) FROM match")" -ge 2; }
wait_for 120 "the feed is polled: 2 items" polled
wait_for 60 "they are matched" matched
sql "UPDATE item SET first_seen_at = now() - interval '8 days';
     UPDATE subscriber SET next_digest_at = now() - interval '1 minute', digested_until = now() - interval '15 days'"
mails() { in_web python3 -c "import json, urllib.request as u; m = json.load(u.urlopen('http://mailbox:8025'))
assert len(m) == 1 and 'NORAD' in m[0] and 'reader@example.org' in m[0], len(m)"; }
wait_for 150 "the digest is in the mailbox, once" mails
test "$(sql "SELECT string_agg(state, ',') FROM digest WHERE state <> 'empty'")" = sent || fail "the digest is not marked sent"

say "a worker is killed"
old=$(podman inspect -f '{{.State.Pid}}' "$(container worker-1)")
kill -9 "$old"
replaced() { new=$(podman inspect -f '{{.State.Pid}}' "$(container worker-1)"); test "$new" != 0 && test "$new" != "$old"; }
wait_for 60 "another process has its place" replaced
wait_for 120 "worker-1 is healthy again" healthy worker-1

say "down and up"
compose down > /dev/null 2>&1
bring_up
polled || fail "items were lost"
test "$(sql "SELECT count(*) FROM digest WHERE state = 'sent'")" = 1 || fail "the digest was lost or doubled"
say "ok: the data is what it was"

podman logs "$(container worker-2)" 2>&1 | grep -E 'reader@example\.org' && fail "an address is in the logs"
say "PASSED"
