/** A link between a program and a server that a row can disturb: a TCP proxy on loopback. */
import { createServer, connect, type AddressInfo, type NetConnectOpts, type Server, type Socket } from 'node:net'

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

/** What a road is like. TCP repeats what is lost: to its users a loss is a delay of everything behind it. */
export interface Road {
  /** The part of all packets that is lost, 0 to 1. */
  readonly loss: number
  /** A packet takes up to so much longer, milliseconds. */
  readonly jitter: number
  /** Each way and connection. */
  readonly bitsPerSecond: number
}

/** Payload of an Ethernet packet, bytes. */
const PACKET = 1448

/** After so long, and twice that each next time, what was lost is repeated (RFC 6298, as Linux has it), milliseconds. */
const REPEATED_AFTER = 200

export class Link {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: NetConnectOpts
  #refuses = false
  #silent = false
  #delay = 0
  #road: Road | undefined
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
    this.#road = undefined
  }

  /** From now on everything goes by this road, both ways, until `mend`. */
  pave(road: Road): void {
    this.#road = road
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
    const [there, back] = [new Way(far), new Way(near)]
    near.on('data', (chunk: Buffer) => {
      there.carry(chunk, this.#road)
      this.#onRequest(chunk, () => (isCut = true))
    })
    far.on('data', (chunk: Buffer) => {
      if (isCut) return end()
      if (this.#delay === 0) back.carry(chunk, this.#road)
      // In order: all chunks wait equally long.
      else setTimeout(() => near.writable && near.write(chunk), this.#delay)
    })
    for (const side of [near, far]) side.on('error', end).on('close', end)
    if (this.#silent) [near, far].forEach((side) => side.pause())
  }
}

/** One way of one connection: packet after packet, in order. */
class Way {
  readonly #to: Socket
  readonly #packets: { readonly bytes: Buffer; readonly due: number }[] = []
  /** When the last packet arrives. */
  #last = 0

  constructor(to: Socket) {
    this.#to = to
  }

  carry(chunk: Buffer, road: Road | undefined): void {
    const isIdle = this.#packets.length === 0
    if (!road && isIdle) return this.#arrive(chunk)
    for (let from = 0; from < chunk.length; from += PACKET) {
      const bytes = chunk.subarray(from, from + PACKET)
      this.#last = Math.max(this.#last, performance.now()) + (road ? slowness(road, bytes.length) : 0)
      this.#packets.push({ bytes, due: this.#last })
    }
    if (isIdle) this.#next()
  }

  /** All that are due, and then a rest until the next is. */
  #next(): void {
    for (let first = this.#packets[0]; first; first = this.#packets[0]) {
      const wait = first.due - performance.now()
      if (wait > 0) return void setTimeout(() => this.#next(), wait)
      this.#packets.shift()
      this.#arrive(first.bytes)
    }
  }

  #arrive(chunk: Buffer): void {
    if (this.#to.writable) this.#to.write(chunk)
  }
}

/** How much later than the one before a packet arrives, milliseconds. */
function slowness({ loss, jitter, bitsPerSecond }: Road, bytes: number): number {
  let waits = (bytes * 8000) / bitsPerSecond
  // What is held up does not hold up what follows a second time, so a packet in four brings a delay.
  if (Math.random() < 0.25) waits += jitter * Math.random()
  for (let again = REPEATED_AFTER; Math.random() < loss; again *= 2) waits += again
  return waits
}
