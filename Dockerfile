# Pinned by tag, as a digest names one architecture's bytes of one day: pin it where you mirror the image,
# with --build-arg PYTHON=<your registry>/python@sha256:...
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-deps --require-hashes --requirement requirements.lock \
    && python -m venv /build \
    && /build/bin/pip install --no-deps --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY spa spa
# What runs needs no installer: pip leaves the environment with the last package.
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /venv/bin/pip install --no-deps --no-index /dist/*.whl \
    && /venv/bin/pip uninstall --yes pip

FROM ${PYTHON}
RUN groupadd --gid 10001 lexgate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/lexgate --shell /usr/sbin/nologin lexgate \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/lexgate
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LEXGATE_BIND=0.0.0.0:8000 \
    LEXGATE_ADMIN_BIND=0.0.0.0:9090 \
    LEXGATE_STATE_DIRECTORY=/var/lib/lexgate
# A lexgate.toml is looked for here.
WORKDIR /etc/lexgate
VOLUME /var/lib/lexgate
USER 10001:10001
EXPOSE 8000 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['LEXGATE_ADMIN_BIND'].rpartition(':')[2]), timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["lexgate"]
CMD ["serve"]
