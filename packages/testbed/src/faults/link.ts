/** A link between a program and a server that a row can disturb: a TCP proxy on loopback. */
import { createServer, connect, type AddressInfo, type NetConnectOpts, type Server, type Socket } from 'node:net'

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

export class Link {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: NetConnectOpts
  #refuses = false
  #silent = false
  #delay = 0
  #onRequest: (chunk: Buffer, cut: () => void) => void = () => undefined

  private constructor(target: NetConnectOpts) {
    this.#target = target
    this.#server = createServer((near) => this.#accept(near))
  }

  static async to(target: NetConnectOpts): Promise<Link> {
    const link = new Link(target)
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** New connections go there. */
  lead(target: NetConnectOpts): void {
    this.#target = target
  }

  /** All connections end; until `mend` new ones do, too. */
  cut(): void {
    this.#refuses = true
    this.drop()
  }

  /** The connections of now end. */
  drop(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far.destroy()
    }
  }

  /** Nothing passes any more, in either direction, and nobody is told. New connections get no word either. */
  silence(): void {
    this.#silent = true
    for (const { near, far } of this.#pairs) {
      near.pause()
      far.pause()
    }
  }

  /** Everything passes again; what was held back by `silence` is lost with its connections. */
  mend(): void {
    if (this.#silent) this.drop()
    this.#silent = false
    this.#refuses = false
    this.#delay = 0
  }

  /** What comes back from the server comes so much later, milliseconds. */
  slow(delay: number): void {
    this.#delay = delay
  }

  /** Hears what goes to the server; `cut` lets the chunk arrive, and loses the answer with the connection. */
  onRequest(listener: (chunk: Buffer, cut: () => void) => void): void {
    this.#onRequest = listener
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(near: Socket): void {
    if (this.#refuses) return void near.destroy()
    const far = connect(this.#target)
    const pair: Pair = { near, far }
    let isCut = false
    this.#pairs.add(pair)
    const end = (): void => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on('data', (chunk: Buffer) => {
      if (far.writable) far.write(chunk)
      this.#onRequest(chunk, () => (isCut = true))
    })
    far.on('data', (chunk: Buffer) => {
      if (isCut) return end()
      this.#back(near, chunk)
    })
    for (const side of [near, far]) side.on('error', end).on('close', end)
    if (this.#silent) [near, far].forEach((side) => side.pause())
  }

  #back(near: Socket, chunk: Buffer): void {
    if (this.#delay === 0) return void near.write(chunk)
    // In order: all chunks wait equally long.
    setTimeout(() => near.writable && near.write(chunk), this.#delay)
  }
}
