FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin capacity-hub

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/capacity-hub capacity-hub
COPY --from=build /src/target/release/capacity-hub /usr/local/bin/capacity-hub
USER capacity-hub
WORKDIR /var/lib/capacity-hub
ENV CAPACITY_HUB_LISTEN=0.0.0.0:8080 CAPACITY_HUB_DATA=/var/lib/capacity-hub/data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["curl", "-fsS", "http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["capacity-hub"]
