/**
 * Serves one messenger to many pages. It lives in the worker that leads; a page is only a name and a way to reply.
 *
 * A watch has at most one snapshot on its way to its page; what changes meanwhile is one more snapshot after the page has
 * seen it. So a thousand changes cost a slow page a few snapshots, and a frozen page none.
 */
import type { ConversationId } from '@tacit/contract'
import { MessengerError, type Live, type Messenger, type SessionState } from '../api.ts'
import type { LockState, LockVerbs } from '../app-lock/app-lock.ts'
import { toPlainError, type Reply, type Request } from './messages.ts'
import { isLockVerb, type PageTopic, type VerbName } from './verbs.ts'

/** The app lock, as the host uses it (app-lock/device-lock.browser.ts). */
export interface HostLock {
  readonly state: Live<LockState>
  onDue: () => void
  look(): Promise<LockState>
  set(request: Parameters<LockVerbs['setLock']>[0]): Promise<void>
  remove(request: Parameters<LockVerbs['removeLock']>[0]): Promise<void>
  unlock(request: Parameters<LockVerbs['unlock']>[0]): Promise<void>
  lock(): Promise<void>
  stillHere(): void
  /** The database is gone, and its key with it. */
  forget(): void
}

export interface HostOptions {
  readonly lock: HostLock
  /** Opens the device; called when somebody needs it, and again when that failed, after a sign-out, and when it was unlocked. */
  open(): Promise<Messenger>
  /** Erases the device without opening it. */
  erase(): Promise<void>
  reply(page: string, reply: Reply): void
}

interface Watch {
  readonly page: string
  readonly key: string
  readonly topic: PageTopic
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
    options.lock.onDue = () => void this.#lock()
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
    this.#options.lock.forget()
  }

  async #call(page: string, { id, verb, request }: Extract<Request, { type: 'call' }>): Promise<void> {
    try {
      const value = isLockVerb(verb) ? await this.#performOnLock(verb, request) : await this.#performOnDevice(verb, request)
      this.#options.reply(page, { type: 'done', id, value })
    } catch (error) {
      this.#options.reply(page, { type: 'failed', id, error: toPlainError(error) })
    }
  }

  async #performOnDevice(verb: Exclude<VerbName, keyof LockVerbs>, request: unknown): Promise<unknown> {
    const core = await this.#opened()
    const value = await Reflect.apply(core[verb], core, request === undefined ? [] : [request])
    if (verb === 'signOut') await this.#retire(core)
    return value
  }

  /** What a page sends with a verb is what its type says: both ends are the same build. */
  async #performOnLock(verb: keyof LockVerbs, request: unknown): Promise<void> {
    const { lock } = this.#options
    switch (verb) {
      case 'setLock':
        return lock.set(request as Parameters<LockVerbs['setLock']>[0])
      case 'removeLock':
        return lock.remove(request as Parameters<LockVerbs['removeLock']>[0])
      case 'unlock':
        await lock.unlock(request as Parameters<LockVerbs['unlock']>[0])
        await this.#opened()
        return
      case 'lock':
        return this.#lock()
      case 'stillHere':
        return lock.stillHere()
      case 'forgetDevice':
        return this.#forgetDevice()
    }
  }

  /** Closes the device behind its lock; pages keep their watches, which go on when it is opened. */
  async #lock(): Promise<void> {
    if ((await this.#options.lock.look()).kind !== 'open') throw new MessengerError('not_allowed', 'There is no app lock to close.')
    const opening = this.#release()
    await this.#options.lock.lock()
    const core = await opening?.catch(() => undefined)
    await core?.close().catch(() => undefined)
  }

  async #forgetDevice(): Promise<void> {
    if ((await this.#options.lock.look()).kind !== 'locked') throw new MessengerError('not_allowed', 'Sign out instead.')
    await this.#options.erase()
    this.#tellSignedOut({ kind: 'signed_out', why: 'signed_out' })
    await this.#options.lock.look()
  }

  /** The device that is open, which nobody here uses any more. */
  #release(): Promise<Messenger> | undefined {
    const opening = this.#core?.opening
    this.#core = undefined
    for (const watch of this.#watches.values())
      if (watch.topic !== 'lock') {
        watch.stop?.()
        delete watch.live
      }
    return opening
  }

  #opened(): Promise<Messenger> {
    this.#core ??= { opening: this.#open() }
    return this.#core.opening
  }

  async #open(): Promise<Messenger> {
    this.#signedOut = undefined
    try {
      if ((await this.#options.lock.look()).kind === 'locked') throw new MessengerError('locked', 'The app lock is closed.')
      const core = await this.#options.open()
      for (const watch of this.#watches.values()) if (watch.topic !== 'lock') this.#attach(watch, watchTopic(core, watch))
      return core
    } catch (error) {
      this.#core = undefined
      if (error instanceof MessengerError && error.failure === 'locked') throw error
      for (const page of new Set([...this.#watches.values()].map((watch) => watch.page)))
        this.#options.reply(page, { type: 'trouble', error: toPlainError(error) })
      throw error
    }
  }

  /** The device was wiped: every page hears it, and the next call begins with an empty one. */
  async #retire(core: Messenger): Promise<void> {
    this.#tellSignedOut(core.watch('session').get())
    await core.close().catch(() => undefined)
    this.#options.lock.forget()
    await this.#options.lock.look()
  }

  #tellSignedOut(session: SessionState): void {
    this.#signedOut = { session }
    void this.#release()
    for (const watch of this.#watches.values()) if (watch.topic === 'session') this.#send(watch, session)
  }

  #watch(watch: Watch): void {
    this.#watches.set(watchName(watch.page, watch.key), watch)
    if (watch.topic === 'lock') return this.#attach(watch, this.#options.lock.state)
    if (this.#signedOut) {
      if (watch.topic === 'session') this.#send(watch, this.#signedOut.session)
      return
    }
    const opening = this.#opened()
    opening.then(
      (core) => this.#core?.opening === opening && this.#isCurrent(watch) && this.#attach(watch, watchTopic(core, watch)),
      // All pages that watch were told by `#open`.
      () => undefined,
    )
  }

  #isCurrent(watch: Watch): boolean {
    return this.#watches.get(watchName(watch.page, watch.key)) === watch
  }

  #attach(watch: Watch, live: Live<unknown>): void {
    if (watch.live) return
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
  if (typeof snapshot !== 'object' || snapshot === null) return snapshot === undefined
  return 'kind' in snapshot && (snapshot.kind === 'starting' || snapshot.kind === 'unknown')
}

/** The only parameters there are, are conversation ids. The lock is not the device's to tell. */
function watchTopic(core: Messenger, { topic, param }: Watch): Live<unknown> {
  if (topic === 'lock') throw new TypeError('A device knows nothing of its lock.')
  return core.watch(topic, param as ConversationId | undefined)
}
