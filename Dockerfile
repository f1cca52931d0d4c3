# The server with its web app, in an image that is read-only, has no root and holds no state. `npm run rehearse:image` runs
# these steps without Docker. The base is Debian's Node 24: on other systems the pinned platform packages do not run.
FROM node:24-bookworm-slim AS web
WORKDIR /tacit
COPY . .
RUN npm ci --no-audit --no-fund
RUN npm run build

FROM node:24-bookworm-slim AS modules
WORKDIR /tacit
COPY . .
RUN npm ci --no-audit --no-fund --omit=dev --omit=optional --workspace packages/server

FROM node:24-bookworm-slim
WORKDIR /tacit
COPY --from=modules /tacit/package.json ./package.json
COPY --from=modules /tacit/node_modules ./node_modules
COPY --from=modules /tacit/packages/contract ./packages/contract
COPY --from=modules /tacit/packages/mls ./packages/mls
COPY --from=modules /tacit/packages/server ./packages/server
COPY --from=web /tacit/apps/web/dist ./apps/web/dist
ENV NODE_ENV=production TACIT_HOST=0.0.0.0 TACIT_PORT=8420 TACIT_DATA_DIR=/data TACIT_METRICS_HOST=0.0.0.0
# The database of a single server on SQLite; one on PostgreSQL keeps here what it acknowledged last, and may do without (:memory:).
RUN mkdir -p /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 8420 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:8420/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "-C", "tacit-source", "packages/server/start.mjs"]
