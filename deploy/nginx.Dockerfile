# nginx in the gateway's place; the context is the repository's root.
FROM nginx:alpine AS nginx
COPY deploy/config/nginx.conf /etc/nginx/nginx.conf
COPY services/portal /usr/share/kampus/portal
COPY docs/openapi /usr/share/kampus/docs
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:80/health"]
USER 101:101
