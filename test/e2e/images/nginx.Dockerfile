# Stand-in for nginx:alpine: Debian's nginx, the official image's user id, wget for its health check.
FROM debian:bookworm-slim
RUN groupadd --gid 101 --system nginx || true; useradd --uid 101 --gid 101 --no-create-home --system nginx || true; \
    apt-get update && apt-get install -y --no-install-recommends nginx-light wget \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/modules-enabled/*
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
