/**
 * The archive, as a duty of the signed-in device. Whenever it is online it first reads what own other devices have put there,
 * newest first, and then puts there what they do not have: gathered for a few seconds, in one step that only succeeds on the
 * archive it was planned on. So two devices that archive the same write it once, and what one restores the other never doubles.
 */
import { limits, Refusal, routes, type ConversationId } from '@tacit/contract'
import { MessengerError, type HistoryState } from '../api.ts'
import type { DeviceCore } from '../device-core.ts'
import { LiveValue } from '../live.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { backOff, isPassing } from '../trouble.ts'
import type { ArchiveKeys } from './archive-keys.ts'
import { countPending, forgetSegments, loadKnownHead, numbersRead, saveKnownHead, untoldForgotten } from './archive.store.ts'
import { nextChange, type Change } from './changes.ts'
import { alarmOf, fetchHead, fetchSegment, markOf, type Current, type FetchedSegment } from './fetch.ts'
import { EMPTY_HEAD, encodeHead, firstNumber, pastAfter, type Head, type SegmentEntry } from './head.ts'
import { placeSegment } from './restore.ts'
import { sealPiece } from './sealed.ts'

type ArchiveCore = Pick<DeviceCore, 'store' | 'session' | 'clock' | 'random' | 'account' | 'conversations' | 'duties' | 'wire'>

export interface ArchiveParts {
  readonly core: ArchiveCore
  readonly keys: ArchiveKeys
  /** A conversation looks different now. */
  readonly changed: (conversation: ConversationId) => void
}

/** What is written in this time goes together, in milliseconds; the jitter keeps a person's devices apart. */
const GATHER = 2000
const JITTER = 6000
/** As long as somebody else is faster each time, there is something to read; beyond that somebody is not honest. */
const ROUNDS = 50
/** What does not work for another reason than the weather is tried again so often, until the next reason to. */
const TRIES = 5

export class Archive {
  /** Undefined until the server was asked. */
  readonly state = new LiveValue<HistoryState | undefined>(undefined)
  readonly #parts: ArchiveParts
  readonly #turns = new OneAtATime()
  #current: Current | undefined
  #full = false
  /** Segments that could not be had or read when they were last tried. */
  #missing = 0
  #unreadable = 0
  #attempt = 0
  #timer: { readonly stop: () => void; readonly done: () => void } | undefined
  #ended = false

  constructor(parts: ArchiveParts) {
    this.#parts = parts
  }

  /** Online, and the conversations of this account are known. */
  arrived(): Promise<void> {
    return this.#run()
  }

  /** An own device has changed the archive. */
  announced(version: number): void {
    if (this.#current && version > this.#current.version) void this.#run()
  }

  /** Something may have to go into the archive: soon, with what comes meanwhile. */
  gather(): void {
    const { core } = this.#parts
    if (!core.wire.isOnline || this.#timer || this.#ended || !this.#current?.head.on) return
    this.#after(GATHER + JITTER * core.random.fraction())
  }

  /** Does now what was to be done soon. */
  hurry(): void {
    const done = this.#stopTimer()
    if (done) void this.#runIfNeeded().finally(done)
  }

  /** The last chance to archive what is only here: resolves when it is done, or cannot be done now, or time is up. */
  async finish(within: number): Promise<'settled' | 'waiting'> {
    const { clock, wire } = this.#parts.core
    if (!(await this.#hasWaiting())) return 'settled'
    if (wire.isOnline)
      await new Promise<void>((resolve) => {
        const stop = clock.after(within, resolve)
        void this.#putAway().finally(() => {
          stop()
          resolve()
        })
      })
    return this.#current?.head.on !== false && (await this.#hasWaiting()) ? 'waiting' : 'settled'
  }

  close(): void {
    this.#ended = true
    this.#stopTimer()?.()
  }

  /** Switches it on or off, for all own devices. What is in it stays. */
  switch(on: boolean): Promise<void> {
    return this.#change(({ head }) => (head?.on === on ? undefined : head && { ...head, on }))
  }

  /** Erases what is in it, readable or not, and switches it off. Devices keep what they have. */
  wipe(): Promise<void> {
    // No number is used twice, also when nobody can say which were: a change adds one at most.
    return this.#change(({ head, version }) => ({ ...EMPTY_HEAD, ...head, on: false, next: head?.next ?? version + 2, segments: [] }))
  }

  /** The person has seen the alarm. */
  async acknowledgeAlarm(): Promise<void> {
    await this.#turns.run(async () => {
      const { store } = this.#parts.core
      const known = await loadKnownHead(store)
      await store.transaction((writer) => saveKnownHead(writer, { ...known, alarm: undefined }))
      await this.#show()
    })
  }

  #after(delay: number): void {
    const { clock, duties } = this.#parts.core
    const done = duties.begin()
    const stop = clock.after(delay, () => {
      this.#timer = undefined
      void this.#runIfNeeded().finally(done)
    })
    this.#timer = { stop, done }
  }

  /** Gives what says that the duty is done, when something was about to be done. */
  #stopTimer(): (() => void) | undefined {
    const waiting = this.#timer
    this.#timer = undefined
    waiting?.stop()
    return waiting?.done
  }

  /** The archive is believed to be as it was: only what is here and not there is a reason to do something. */
  async #runIfNeeded(): Promise<void> {
    if (await this.#hasWaiting()) await this.#run(this.#current)
  }

  /** A store that cannot say so is one that the run will fail on, and say why. */
  async #hasWaiting(): Promise<boolean> {
    const { store } = this.#parts.core
    try {
      return (await countPending(store)) > 0 || (await untoldForgotten(store, 1)).length > 0
    } catch {
      return !this.#ended
    }
  }

  async #putAway(): Promise<void> {
    // Until the server was asked, a run is about to begin that reads first and then writes.
    if (!this.state.get()) await this.#shown()
    // What runs already may be all there is to do.
    await this.#turns.run(async () => undefined)
    if (!this.#current?.head.on || !(await this.#hasWaiting())) return
    const done = this.#stopTimer()
    await this.#run(this.#current)
    done?.()
  }

  #shown(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.state.subscribe(() => {
        stop()
        resolve()
      })
    })
  }

  /** Reads what is new and writes what is missing; a passing failure is tried again. */
  #run(from?: Current): Promise<void> {
    return this.#turns.run(async () => {
      try {
        await this.#keepUp(from)
        this.#attempt = 0
      } catch (error) {
        this.#failed(error)
      }
    })
  }

  #failed(error: unknown): void {
    const { core } = this.#parts
    if (error instanceof Refusal && error.failure === 'archive_full') this.#full = true
    const worth = isPassing(error) || this.#attempt < TRIES
    const again = worth && core.wire.isOnline && !this.#ended && !this.#timer
    if (again) core.clock.after(1000 + backOff({ attempt: ++this.#attempt, fraction: core.random.fraction() }), () => void this.#run())
  }

  /** `from`: the archive is believed to be as it was; if it is not, the first write says so. */
  async #keepUp(from: Current | undefined): Promise<void> {
    let current = from ?? (await this.#catchUp())
    for (let round = 0; current && round < ROUNDS;) {
      const mayWrite = current.head.on && !this.#full && !this.#ended
      const change = mayWrite ? await nextChange(this.#changeParts(), current, { whole: this.#missing === 0 }) : undefined
      if (!change) break
      const next = await this.#write(current, change)
      if (!next) round += 1
      current = next ?? (await this.#catchUp())
    }
    await this.#show()
  }

  #changeParts() {
    const { core, keys } = this.#parts
    return { session: core.session, account: core.account, keys, store: core.store, random: core.random, now: core.clock.now() }
  }

  /** Fetches the head and reads every segment that this device has not read. Undefined when the archive cannot be used. */
  async #catchUp(): Promise<Current | undefined> {
    const { core } = this.#parts
    for (let round = 0; round < ROUNDS; round++) {
      const fetched = await fetchHead(this.#changeParts())
      this.#unreadable = fetched.kind === 'unreadable' ? 1 : 0
      if (fetched.kind === 'unreadable') {
        this.#current ??= NOTHING
        return undefined
      }
      const { current } = fetched
      await this.#remember(current)
      this.#current = current
      const read = await numbersRead(core.store)
      const unread = current.head.segments.filter((entry) => !isRead(entry, read)).toSorted(newestFirst)
      if (await this.#readAll(current, unread)) {
        await this.#show()
        return current
      }
    }
    return undefined
  }

  /** Notices what the server did, and what own devices did to the archive. */
  async #remember(current: Current): Promise<void> {
    const { store } = this.#parts.core
    const known = await loadKnownHead(store)
    const alarm = alarmOf(known, current)
    const { version, mark, head } = current
    if (known.version === version && !alarm) return
    const first = firstNumber(head)
    await store.transaction(async (writer) => {
      // What this device knows to be archived may not be in the archive that is shown now: everything is compared anew.
      if (alarm) await forgetSegments(writer, Number.MAX_SAFE_INTEGER)
      else if (first > known.first) await forgetSegments(writer, first)
      await saveKnownHead(writer, { version, mark, first, alarm: alarm ?? known.alarm })
    })
  }

  /** False when the archive changed meanwhile. */
  async #readAll(current: Current, unread: readonly SegmentEntry[]): Promise<boolean> {
    const { core, changed } = this.#parts
    const total = unread.reduce((sum, { items }) => sum + items, 0)
    const found = { missing: 0, unreadable: 0 }
    const fetch = (entry: SegmentEntry | undefined) => entry && this.#fetchOne(current, entry)
    let done = 0
    let silent = 0
    let coming = fetch(unread[0])
    for (const [at, entry] of unread.entries()) {
      if (this.#ended) return true
      await this.#show({ done, total })
      const fetched = await coming
      // The network works on the next one while this one is stored.
      coming = fetch(unread[at + 1])
      if (fetched?.kind === 'changed') return false
      // One that does not come is that one's trouble; two in a row are the weather's.
      silent = fetched?.kind === 'silent' ? silent + 1 : 0
      if (fetched?.kind === 'silent' && (silent > 1 || unread.length === 1)) throw fetched.error
      if (fetched?.kind === 'segment') {
        for (const conversation of await placeSegment(core, fetched.segment, entry)) changed(conversation)
      } else found[fetched?.kind === 'unreadable' ? 'unreadable' : 'missing'] += 1
      done += entry.items
    }
    this.#missing = found.missing
    this.#unreadable = found.unreadable
    return true
  }

  async #fetchOne(current: Current, entry: SegmentEntry): Promise<FetchedSegment | { readonly kind: 'silent'; readonly error: unknown }> {
    try {
      return await fetchSegment(this.#changeParts(), current, entry)
    } catch (error) {
      return { kind: 'silent', error }
    }
  }

  /** Undefined when somebody else was faster. */
  async #write(current: Current, { head, put, drop, clear = false, taken }: Change): Promise<Current | undefined> {
    const { core, keys } = this.#parts
    const version = current.version + 1
    const next: Head = current.mark.length === 0 ? head : { ...head, past: pastAfter(current.head, current.mark) }
    const place = { kind: 'head', account: core.account, version } as const
    const sealed = await sealPiece({ place, key: await keys.newest(), bytes: encodeHead(next), random: core.random })
    try {
      const body = { version, head: sealed, put: [...put], drop: [...drop], clear }
      const { used } = await core.session.call(routes.archive.write, { body })
      const written = { ...current, version, mark: await markOf(sealed), head: next, used }
      const first = firstNumber(next)
      await core.store.transaction(async (writer) => {
        const known = await loadKnownHead(writer)
        if (first > known.first) await forgetSegments(writer, first)
        await taken(writer)
        await saveKnownHead(writer, { ...known, version, mark: written.mark, first })
      })
      this.#current = written
      return written
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'version_conflict') return undefined
      throw error
    }
  }

  /** A change that the person wants; `head` is undefined when what is there cannot be read. Rejects when it cannot be made now. */
  async #change(what: (now: { readonly head: Head | undefined; readonly version: number }) => Head | undefined): Promise<void> {
    await this.#turns.run(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const fetched = await fetchHead(this.#changeParts())
        if (fetched.kind === 'head') await this.#remember(fetched.current)
        const readable = fetched.kind === 'head' ? fetched.current : undefined
        const current = readable ?? { ...NOTHING, version: fetched.kind === 'head' ? 0 : fetched.version }
        const head = what({ head: readable?.head, version: current.version })
        if (!head && !readable) throw new MessengerError('unsupported', 'The archive cannot be read by this device.')
        const change = head && { head, put: [], drop: [], clear: head.segments.length === 0, taken: async () => undefined }
        if (!change || (await this.#write(current, change))) {
          this.#current ??= current
          this.#full = false
          this.#unreadable = 0
          return
        }
      }
      throw new Refusal('busy')
    })
    void this.#run()
  }

  async #show(restoring?: HistoryState['restoring']): Promise<void> {
    const { store } = this.#parts.core
    const current = this.#current
    if (!current) return
    const { alarm } = await loadKnownHead(store)
    const waiting = (await countPending(store)) + (await untoldForgotten(store, limits.archiveSegments)).length
    const trouble = this.#trouble() ?? alarm
    const { head, used, quota } = current
    const messages = head.segments.reduce((sum, { items }) => sum + items, 0)
    const next: HistoryState = { on: head.on, messages, used, quota, waiting, ...(restoring && { restoring }), ...(trouble && { trouble }) }
    if (JSON.stringify(next) !== JSON.stringify(this.state.get())) this.state.set(next)
  }

  #trouble(): HistoryState['trouble'] {
    if (this.#missing > 0) return 'missing'
    if (this.#unreadable > 0) return 'unreadable'
    return this.#full ? 'full' : undefined
  }
}

/** Stands for an archive that cannot be read. */
const NOTHING: Current = { version: 0, mark: new Uint8Array(), head: { ...EMPTY_HEAD, on: false }, used: 0, quota: 0 }

const newestFirst = (one: SegmentEntry, other: SegmentEntry): number => other.newest - one.newest || other.number - one.number

function isRead({ number, through }: SegmentEntry, read: ReadonlySet<number>): boolean {
  for (let one = number; one <= through; one++) if (!read.has(one)) return false
  return true
}
