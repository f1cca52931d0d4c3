/**
 * Everything a device takes from the world around it: time, timers, chance and the network. The platform's are made here
 * and nowhere else; tests hand in their own, so that a whole world can be replayed.
 */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `work` once, after `delay` milliseconds; returns the way to call it off. */
  after(delay: number, work: () => void): () => void
}

export interface Random {
  bytes(length: number): Uint8Array<ArrayBuffer>
  /** At least 0, less than 1; for jitter only, never for secrets. */
  fraction(): number
}

export interface OpenSocket {
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(): void
}

/** What a socket tells. After `closed` nothing more comes. */
export interface SocketListener {
  opened(): void
  received(bytes: Uint8Array): void
  /** The close code of RFC 6455 section 7.4; 1006 when the connection just ended. */
  closed(code: number): void
}

export interface Network {
  /** As the global `fetch`; rejects when no answer came, at the latest after half a minute. */
  fetch(url: string, init: RequestInit): Promise<Response>
  openSocket(request: { readonly url: string; readonly protocol: string; readonly listener: SocketListener }): OpenSocket
  /** Whether the platform believes to be online; only a hint to try sooner or to rest. */
  isOnline(): boolean
  /** Returns the way to stop listening. */
  onHint(listener: () => void): () => void
}

export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
}

export const platformClock: Clock = {
  now: () => Date.now(),
  after(delay, work) {
    const timer = setTimeout(work, delay)
    return () => clearTimeout(timer)
  },
}

export const platformRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
}

/** An HTTP answer that takes longer than this is none, in milliseconds. */
const PATIENCE = 30_000

/** The global `fetch` and `WebSocket`, which browsers, workers and Node have. */
export const platformNetwork: Network = {
  fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) }),
  openSocket: openWebSocket,
  isOnline: () => !('navigator' in globalThis) || navigator.onLine !== false,
  onHint(listener) {
    if (!('addEventListener' in globalThis)) return () => undefined
    addEventListener('online', listener)
    addEventListener('offline', listener)
    return () => {
      removeEventListener('online', listener)
      removeEventListener('offline', listener)
    }
  },
}

function openWebSocket({ url, protocol, listener }: Parameters<Network['openSocket']>[0]): OpenSocket {
  const socket = new WebSocket(url, protocol)
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => listener.opened())
  socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) listener.received(new Uint8Array(data))
    // Text has no place in our protocol: whoever sends it is not our server.
    else socket.close()
  })
  socket.addEventListener('close', ({ code }) => listener.closed(code))
  return { send: (bytes) => socket.send(bytes), close: () => socket.close() }
}
