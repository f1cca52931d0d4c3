/** Numbers for Prometheus, on a port of their own. No label names a person, a device, a conversation or an address. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  /** Rooms and gateways register their own metrics here. */
  readonly registry: Registry
  /** One answered HTTP request; `route` is `room.verb` of the contract, or `other`. */
  request(answered: { route: string; status: number; seconds: number }): void
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'tacit_' })
  const registers = [registry]
  const requests = new Counter({
    name: 'tacit_http_requests_total',
    help: 'Answered HTTP requests',
    labelNames: ['route', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'tacit_http_request_seconds',
    help: 'Time to answer an HTTP request',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2],
    registers,
  })
  return {
    registry,
    request({ route, status, seconds: took }) {
      requests.inc({ route, status: String(status) })
      seconds.observe({ route }, took)
    },
  }
}

/** A number that is asked for when the numbers are fetched. */
export function measure(registry: Registry, named: { readonly name: string; readonly help: string }, now: () => number): void {
  new Gauge({
    ...named,
    registers: [registry],
    collect() {
      this.set(now())
    },
  })
}

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/** Serves GET /metrics. Bound to loopback unless the settings say otherwise. */
export async function serveMetrics({ registry, host, port }: { registry: Registry; host: string; port: number }): Promise<MetricsServer> {
  const server: Server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return {
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The port that a listening server got. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
