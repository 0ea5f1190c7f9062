# The image of the updater: the program and what it calls (git, ssh, gpg, gpgsm), as user 1000, on a read-only root.
#   docker build --build-arg GIT_COMMIT=$(git rev-parse HEAD) --build-arg BUILD_DATE=$(date -u +%FT%TZ) -t argocd-image-updater .
#
# A tag moves; a pipeline that has to build the same image again gives the base by its digest:
#   --build-arg BASE=docker.io/library/python:3.13-slim-trixie@sha256:...
# Debian's C library is meant: google-re2 has no wheels for musl.
ARG BASE=docker.io/library/python:3.13-slim-trixie

FROM ${BASE} AS build
WORKDIR /src
COPY config/image/build-requirements.txt config/image/requirements.txt config/image/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r config/image/build-requirements.txt \
    && python -m venv /opt/argocd-image-updater \
    && /opt/argocd-image-updater/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r config/image/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY generated generated
COPY sidecar sidecar
COPY updater updater
ARG GIT_COMMIT=unknown
ARG BUILD_DATE=1970-01-01T00:00:00Z
RUN sed -i -e "s|^COMMIT = .*|COMMIT = \"${GIT_COMMIT}\"|" -e "s|^BUILD_DATE = .*|BUILD_DATE = \"${BUILD_DATE}\"|" updater/__init__.py \
    && /opt/build/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/argocd-image-updater/bin/pip install --no-cache-dir --no-deps dist/*.whl \
    && /opt/argocd-image-updater/bin/pip uninstall --yes pip

FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates connect-proxy git gnupg gpgsm openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --user-group --home-dir /app --create-home --shell /usr/sbin/nologin argocd-image-updater \
    && install --directory --owner 1000 --group 1000 /app/config /app/cache
COPY --from=build /opt/argocd-image-updater /opt/argocd-image-updater
# A read-only root has no room for bytecode, and logs are to leave at once.
ENV PATH=/opt/argocd-image-updater/bin:$PATH \
    HOME=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
ARG GIT_COMMIT=unknown
ARG BUILD_DATE=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Argo CD Image Updater for Python" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.revision="${GIT_COMMIT}" \
    org.opencontainers.image.created="${BUILD_DATE}"
WORKDIR /app
USER 1000:1000
EXPOSE 8080 8081 8082
# tini takes the place of an init: it passes signals on and reaps what git leaves behind.
ENTRYPOINT ["/usr/bin/tini", "--", "argocd-image-updater"]
CMD ["run"]
