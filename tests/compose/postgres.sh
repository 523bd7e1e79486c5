# Honours POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE as the public image does.
set -eu
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if ! test -s "$PGDATA/PG_VERSION"; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  install -o postgres -m 0600 "$POSTGRES_PASSWORD_FILE" /tmp/password
  as initdb -D "$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 \
    --auth-local=trust --encoding=UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  as pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  as createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  as pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$PGDATA" -c listen_addresses='*'
