# The service in a container: a slim base, locked packages, an ordinary user, and a root file system that may be
# read-only. `docker-compose.yml` runs the whole installation.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /app
COPY requirements/cluster.txt /source/requirements/
RUN /app/bin/python -m pip install --require-hashes -r /source/requirements/cluster.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md Makefile /source/
COPY monitor /source/monitor
COPY templates /source/templates
COPY config /source/config
RUN /app/bin/python -m pip install --no-deps --no-build-isolation /source \
 && /app/bin/python -m compileall -q /app/lib \
 && /app/bin/python -m pip uninstall --yes hatchling editables pip

FROM ${BASE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin monitor \
 && install -d -o monitor -g monitor -m 0700 /data /keys
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MONITOR_DATA_DIR=/data \
    MONITOR_HOST=0.0.0.0 \
    MONITOR_LOG_FORMAT=json
USER monitor
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["monitor"]
CMD ["run"]
