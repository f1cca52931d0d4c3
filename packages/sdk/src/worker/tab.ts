/**
 * The worker of one tab. All tabs' workers wait for one Web Lock; who has it leads: opens the device and serves all pages.
 * The others pass on what their page and the leader say to each other, over a BroadcastChannel. When the leader's tab dies
 * the browser gives the lock to the next, which says so; every page then asks again for what it had not got.
 */
import type { Messenger } from '../api.ts'
import { takeLock, whenReleased } from '../one-writer.ts'
import { Host, type HostLock } from './host.ts'
import {
  protocolVersion,
  readEnvelope,
  readFromPage,
  type Envelope,
  type FromPage,
  type Reply,
  type Request,
  type ToPage,
} from './messages.ts'

export interface TabOptions {
  /** Prefix of the names of locks and channel; tabs with the same one share a device. */
  readonly scope: string
  readonly lock: HostLock
  /** Erases the device of this browser, which nobody has open. */
  erase(): Promise<void>
  /** Opens the device; called only while this tab leads. `expected`: a device is remembered in this browser; `slot`: which was here last. */
  open(request: { readonly expected: boolean; readonly slot: () => string | undefined }): Promise<Messenger>
  toPage(message: ToPage): void
}

export class Tab {
  readonly #options: TabOptions
  readonly #id = crypto.randomUUID()
  readonly #channel: BroadcastChannel
  readonly #stopping = new AbortController()
  readonly #guests = new Set<string>()
  #role:
    | { readonly kind: 'waiting' }
    | { readonly kind: 'following'; readonly leader: string }
    | { readonly kind: 'leading'; readonly host: Host } = {
    kind: 'waiting',
  }
  #expected = false
  #slot: string | undefined
  /** Whether the others can tell if this tab lives; before that it takes no part. */
  #joined = false

  constructor(options: TabOptions) {
    this.#options = options
    this.#channel = new BroadcastChannel(`${options.scope}:device`)
    this.#channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#hear(data))
    void this.#start()
  }

  fromPage(data: unknown): void {
    const message = readFromPage(data)
    if (message) this.#obey(message)
  }

  /** Lives for the life of the worker. The tab's own lock comes first: its end is how a leader knows that the tab is gone. */
  async #start(): Promise<void> {
    const { signal } = this.#stopping
    try {
      const leaveTab = await takeLock(tabLock(this.#options.scope, this.#id), signal)
      signal.addEventListener('abort', leaveTab)
      this.#joined = true
      this.#tell({ type: 'who_leads' })
      const stopLeading = await takeLock(`${this.#options.scope}:device`, signal)
      // The next leader must find the store closed.
      signal.addEventListener('abort', () => void this.#closeHost().finally(stopLeading))
      this.#lead()
    } catch {
      // Only because of `signal`: this tab is closing or outdated.
    }
  }

  #lead(): void {
    const host = new Host({
      lock: this.#options.lock,
      erase: () => this.#options.erase(),
      open: () => this.#options.open({ expected: this.#expected, slot: () => this.#slot }),
      reply: (page, reply) => (page === this.#id ? this.#options.toPage(reply) : this.#tell(reply, page)),
    })
    this.#role = { kind: 'leading', host }
    this.#tell({ type: 'i_lead' })
    this.#options.toPage({ type: 'leader', leader: this.#id })
  }

  #obey(message: FromPage): void {
    switch (message.type) {
      case 'remember':
        this.#expected = message.device
        this.#slot = message.slot
        return
      case 'close':
        void this.#close()
        return
      default:
        if (this.#role.kind === 'leading') this.#role.host.receive(this.#id, message)
        // Without a leader it is dropped: the page says it again to the next one.
        else if (this.#role.kind === 'following') this.#tell(message, this.#role.leader)
    }
  }

  #hear(data: unknown): void {
    if (!this.#joined || this.#stopping.signal.aborted) return
    const envelope = readEnvelope(data)
    if (!envelope) return
    if (envelope.body === undefined) this.#hearStranger(envelope.version)
    else if (envelope.to === undefined || envelope.to === this.#id) this.#hearTab(envelope)
  }

  #hearTab({ from, body }: Envelope): void {
    switch (body.type) {
      case 'who_leads':
        if (this.#role.kind === 'leading') this.#tell({ type: 'i_lead' }, from)
        return
      case 'i_lead':
        this.#follow(from)
        return
      case 'call':
      case 'watch':
      case 'unwatch':
      case 'seen':
        this.#serve(from, body)
        return
      default:
        if (this.#role.kind === 'following' && this.#role.leader === from) this.#options.toPage(body)
    }
  }

  #follow(leader: string): void {
    if (this.#role.kind === 'leading' || (this.#role.kind === 'following' && this.#role.leader === leader)) return
    this.#role = { kind: 'following', leader }
    this.#options.toPage({ type: 'leader', leader })
  }

  #serve(page: string, request: Request): void {
    if (this.#role.kind !== 'leading') return
    const { host } = this.#role
    if (!this.#guests.has(page)) {
      this.#guests.add(page)
      void whenReleased(tabLock(this.#options.scope, page)).then(() => {
        this.#guests.delete(page)
        host.forget(page)
      })
    }
    host.receive(page, request)
  }

  /** A tab with other code: the newer one leads, because only it knows what became of the store. */
  #hearStranger(version: number): void {
    if (version < protocolVersion) this.#tell({ type: 'i_lead' })
    else {
      this.#options.toPage({ type: 'outdated' })
      this.#stop()
    }
  }

  async #close(): Promise<void> {
    this.#stop()
    await this.#closeHost()
    this.#options.toPage({ type: 'closed' })
  }

  #stop(): void {
    this.#stopping.abort()
    this.#channel.close()
  }

  async #closeHost(): Promise<void> {
    if (this.#role.kind === 'leading') await this.#role.host.close()
  }

  #tell(body: Envelope['body'] | Reply, to?: string): void {
    if (this.#stopping.signal.aborted) return
    this.#channel.postMessage({ version: protocolVersion, from: this.#id, ...(to === undefined ? {} : { to }), body } satisfies Envelope)
  }
}

const tabLock = (scope: string, tab: string): string => `${scope}:tab:${tab}`
