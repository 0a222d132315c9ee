# The program in a small image that runs as an ordinary user.
#
#   docker build -t scheduler .                          # reads conf/online
#   docker build -t scheduler --build-arg APP_ENV=test . # reads conf/test
#   docker run --rm -e APP_ENV=local scheduler check
#
# The password of the database comes at run time: a variable, or better a file that one names. See compose.yaml,
# packaging/kubernetes/ and docs/configuration.md, "Secrets".

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p scheduler

FROM debian:bookworm-slim
# Certificates, for jobs that call something by https and for alarms; zones, for TZ, in which the log says when.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/*
# A number that Kubernetes can see is not root's; only data and logs are its own.
RUN groupadd --gid 10001 scheduler \
 && useradd --uid 10001 --gid scheduler --no-create-home --home-dir /app --shell /usr/sbin/nologin scheduler \
 && install -d -o scheduler -g scheduler /app/data /app/logs
COPY --from=build /src/target/release/scheduler /usr/local/bin/scheduler
COPY conf /app/conf
WORKDIR /app
USER 10001:10001
# SQLite's file, when it is the store: keep it on a volume.
VOLUME /app/data
ARG APP_ENV=online
ENV APP_ENV=${APP_ENV} TZ=UTC
# An orderly stop takes up to shutdown_timeout (10 s) and 2 s: give `docker stop --time` 15 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["scheduler", "healthcheck"]
ENTRYPOINT ["scheduler"]
CMD ["run"]
