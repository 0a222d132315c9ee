# The program in a small image that runs as an ordinary user.
#
#   docker build -t scheduler .
#   docker run --rm scheduler check
#   docker run -d -e APP_ENV=online -e SCHEDULER__MYSQL__DEFAULT__PASSWORD=… -v ./conf:/app/conf:ro scheduler

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p scheduler

FROM debian:bookworm-slim
# Certificates, for jobs that call something by https.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app scheduler \
 && install -d -o scheduler -g scheduler /app /app/data
COPY --from=build /src/target/release/scheduler /usr/local/bin/scheduler
COPY --chown=scheduler:scheduler conf /app/conf
WORKDIR /app
USER scheduler
# SQLite's file, when it is the store: keep it on a volume.
VOLUME /app/data
ENV APP_ENV=local
# An orderly stop takes up to shutdown_timeout (10 s) and a little: give `docker stop` 15 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["scheduler"]
