# The operator's image: one static binary, and what that starts, which is git.
#
# An empty image would not do: git is a family of programs with libraries, a shell (for its credential helpers), and
# certificates. So the base is Alpine, which has all of it in a few megabytes, and musl, by which the binary is static.
#
#   docker build --tag ghcr.io/dryad-dev/dryad:0.1.0 .
#
# With `buildx build --platform linux/amd64,linux/arm64` each platform is built as itself.
ARG RUST_VERSION=1.94.1
ARG ALPINE_VERSION=3.22

FROM rust:${RUST_VERSION}-alpine${ALPINE_VERSION} AS build
# For ring, which is partly C and assembly.
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crds crds
COPY operator operator
COPY e2e e2e
# Tests read it while they are compiled, and cargo wants every member of the workspace to be there.
COPY config config
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package dryad && cp target/release/dryad /dryad

FROM alpine:${ALPINE_VERSION}
# git 2.45 or newer, ssh for repositories that let everybody read, and the authorities that both and AWS's SDK trust.
# Whoever is the first process inherits the helpers of a git that was killed, and has to wait for their end: tini does.
RUN apk add --no-cache ca-certificates-bundle git openssh-client-default tini
COPY --from=build /dryad /usr/local/bin/dryad
# The one that the chart runs it as. Nothing in the image belongs to it: what it writes is in volumes.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/sbin/tini", "--", "/usr/local/bin/dryad"]
