/**
 * Serves one messenger to many pages. It lives in the worker that leads; a page is only a name and a way to reply.
 *
 * A watch has at most one snapshot on its way to its page; what changes meanwhile is one more snapshot after the page has
 * seen it. So a thousand changes cost a slow page a few snapshots, and a frozen page none.
 */
import type { ConversationId } from '@tacit/contract'
import type { Live, Messenger, TopicName } from '../api.ts'
import { toPlainError, type Reply, type Request } from './messages.ts'
import type { VerbName } from './verbs.ts'

export interface HostOptions {
  /** Opens the device; called when somebody needs it, and again when that failed or after a sign-out. */
  open(): Promise<Messenger>
  reply(page: string, reply: Reply): void
}

interface Watch {
  readonly page: string
  readonly key: string
  readonly topic: TopicName
  readonly param: string | undefined
  live?: Live<unknown>
  stop?: () => void
  state: 'settled' | 'sent' | 'sent_and_changed'
}

export class Host {
  readonly #options: HostOptions
  readonly #watches = new Map<string, Watch>()
  #core: { readonly opening: Promise<Messenger> } | undefined
  /** After a sign-out nothing is opened again just to be looked at: the browser stays empty until somebody acts. */
  #signedOut: { readonly session: unknown } | undefined
  #closing: Promise<void> | undefined

  constructor(options: HostOptions) {
    this.#options = options
  }

  receive(page: string, request: Request): void {
    if (this.#closing) return
    switch (request.type) {
      case 'call':
        void this.#call(page, request)
        return
      case 'watch':
        this.#unwatch(page, request.key)
        this.#watch({ page, key: request.key, topic: request.topic, param: request.param, state: 'settled' })
        return
      case 'unwatch':
        this.#unwatch(page, request.key)
        return
      case 'seen':
        this.#seen(page, request.key)
    }
  }

  /** The page is gone. */
  forget(page: string): void {
    for (const watch of this.#watches.values()) if (watch.page === page) this.#unwatch(page, watch.key)
  }

  /** Closes the device; it stays signed in. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.stop?.()
    this.#watches.clear()
    const core = await this.#core?.opening.catch(() => undefined)
    await core?.close().catch(() => undefined)
  }

  async #call(page: string, { id, verb, request }: Extract<Request, { type: 'call' }>): Promise<void> {
    try {
      const core = await this.#opened()
      const value = await perform(core, verb, request)
      if (verb === 'signOut') await this.#retire(core)
      this.#options.reply(page, { type: 'done', id, value })
    } catch (error) {
      this.#options.reply(page, { type: 'failed', id, error: toPlainError(error) })
    }
  }

  #opened(): Promise<Messenger> {
    this.#core ??= { opening: this.#open() }
    return this.#core.opening
  }

  async #open(): Promise<Messenger> {
    this.#signedOut = undefined
    try {
      const core = await this.#options.open()
      for (const watch of this.#watches.values()) this.#attach(watch, core)
      return core
    } catch (error) {
      this.#core = undefined
      for (const page of new Set([...this.#watches.values()].map((watch) => watch.page)))
        this.#options.reply(page, { type: 'trouble', error: toPlainError(error) })
      throw error
    }
  }

  /** The device was wiped: every page hears it, and the next call begins with an empty one. */
  async #retire(core: Messenger): Promise<void> {
    const session = core.watch('session').get()
    this.#signedOut = { session }
    this.#core = undefined
    for (const watch of this.#watches.values()) {
      watch.stop?.()
      delete watch.live
      if (watch.topic === 'session') this.#send(watch, session)
    }
    await core.close().catch(() => undefined)
  }

  #watch(watch: Watch): void {
    this.#watches.set(watchName(watch.page, watch.key), watch)
    if (this.#signedOut) {
      if (watch.topic === 'session') this.#send(watch, this.#signedOut.session)
      return
    }
    const opening = this.#opened()
    opening.then(
      (core) => this.#core?.opening === opening && this.#isCurrent(watch) && this.#attach(watch, core),
      // All pages that watch were told by `#open`.
      () => undefined,
    )
  }

  #isCurrent(watch: Watch): boolean {
    return this.#watches.get(watchName(watch.page, watch.key)) === watch
  }

  #attach(watch: Watch, core: Messenger): void {
    if (watch.live) return
    const live = watchTopic(core, watch.topic, watch.param)
    watch.live = live
    watch.state = 'settled'
    watch.stop = live.subscribe(() => this.#changed(watch))
    if (!saysNothingYet(live.get())) this.#changed(watch)
  }

  #changed(watch: Watch): void {
    if (watch.state === 'settled') this.#send(watch, watch.live?.get())
    else watch.state = 'sent_and_changed'
  }

  #seen(page: string, key: string): void {
    const watch = this.#watches.get(watchName(page, key))
    if (!watch) return
    const changed = watch.state === 'sent_and_changed'
    watch.state = 'settled'
    if (changed && watch.live) this.#send(watch, watch.live.get())
  }

  #send(watch: Watch, value: unknown): void {
    watch.state = 'sent'
    this.#options.reply(watch.page, { type: 'snapshot', key: watch.key, value })
  }

  #unwatch(page: string, key: string): void {
    const name = watchName(page, key)
    this.#watches.get(name)?.stop?.()
    this.#watches.delete(name)
  }
}

const watchName = (page: string, key: string): string => `${page} ${key}`

/** A page that knew an earlier leader rather keeps what it shows than to begin anew for a moment. */
function saysNothingYet(snapshot: unknown): boolean {
  return snapshot === undefined || (typeof snapshot === 'object' && snapshot !== null && 'kind' in snapshot && snapshot.kind === 'starting')
}

function perform(core: Messenger, verb: VerbName, request: unknown): Promise<unknown> {
  return Reflect.apply(core[verb], core, request === undefined ? [] : [request])
}

/** The only parameters there are, are conversation ids. */
function watchTopic(core: Messenger, topic: TopicName, param: string | undefined): Live<unknown> {
  return core.watch(topic, param as ConversationId | undefined)
}
