/**
 * The page's live values. Each is there once per topic and parameter, keeps its snapshot while nobody looks, and keeps the
 * identity of whatever did not change inside a snapshot, so that a screen draws only what is new.
 */
import type { Live, Topics } from '../api.ts'
import type { LockState } from '../app-lock/app-lock.ts'
import type { PageTopic } from './verbs.ts'

export interface ActiveWatch {
  readonly key: string
  readonly topic: PageTopic
  readonly param: string | undefined
}

export type PageSnapshot<T extends PageTopic> = T extends keyof Topics ? Topics[T]['snapshot'] : LockState

export interface SnapshotsOptions {
  /** What a session is before the device has said anything. */
  firstSession(): Topics['session']['snapshot']
  watch(watch: ActiveWatch): void
  unwatch(key: string): void
}

export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  live<T extends PageTopic>(topic: T, param?: string): Live<PageSnapshot<T>>
  live(topic: PageTopic, param?: string): Live<unknown> {
    const key = JSON.stringify([topic, param])
    const known = this.#entries.get(key)
    if (known) return known
    const entry = new Entry({ watch: { key, topic, param }, first: this.#first(topic), options: this.#options })
    this.#entries.set(key, entry)
    return entry
  }

  /** What a new leader has to be asked for. */
  active(): ActiveWatch[] {
    return [...this.#entries.values()].filter(({ watched }) => watched).map(({ watch }) => watch)
  }

  apply(key: string, value: unknown): void {
    this.#entries.get(key)?.set(value)
  }

  /** Forgets everything that was shown of an account; session and lock are told by their own snapshots. */
  clear(): void {
    for (const entry of this.#entries.values())
      if (entry.watch.topic !== 'session' && entry.watch.topic !== 'lock') entry.set(this.#first(entry.watch.topic))
  }

  #first(topic: PageTopic): unknown {
    if (topic === 'lock') return unknownLock
    if (topic === 'session') return this.#options.firstSession()
    if (topic === 'linking') return noLink
    return topic === 'connection' ? offline : undefined
  }
}

const unknownLock: LockState = { kind: 'unknown' }
const offline: Topics['connection']['snapshot'] = { kind: 'offline', unsent: 0 }

const noLink: Topics['linking']['snapshot'] = { kind: 'idle' }

class Entry implements Live<unknown> {
  readonly watch: ActiveWatch
  readonly #options: SnapshotsOptions
  readonly #listeners = new Set<{ readonly call: () => void }>()
  #value: unknown

  constructor({ watch, first, options }: { watch: ActiveWatch; first: unknown; options: SnapshotsOptions }) {
    this.watch = watch
    this.#value = first
    this.#options = options
  }

  get watched(): boolean {
    return this.#listeners.size > 0
  }

  // Arrow functions, so that `useSyncExternalStore(live.subscribe, live.get)` works as it stands.
  readonly get = (): unknown => this.#value

  readonly subscribe = (call: () => void): (() => void) => {
    const listener = { call }
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#options.watch(this.watch)
    return () => {
      if (this.#listeners.delete(listener) && !this.watched) this.#options.unwatch(this.watch.key)
    }
  }

  set(value: unknown): void {
    const next = keepUnchanged(this.#value, value)
    if (Object.is(next, this.#value)) return
    this.#value = next
    for (const { call } of Array.from(this.#listeners)) call()
  }
}

/** `next`, with every part that equals the one at the same place in `before` replaced by that very object. */
export function keepUnchanged(before: unknown, next: unknown): unknown {
  if (Object.is(before, next)) return before
  if (Array.isArray(before) && Array.isArray(next)) return keepItems(before, next)
  if (isPlain(before) && isPlain(next)) return keepFields(before, next)
  return next
}

/** Items with a `key` are found again by it, wherever they moved; others by their place. */
function keepItems(before: readonly unknown[], next: readonly unknown[]): readonly unknown[] {
  const byKey = new Map(before.map((item) => [keyOf(item), item]))
  const kept = next.map((item, place) => keepUnchanged(keyOf(item) === undefined ? before[place] : byKey.get(keyOf(item)), item))
  return kept.length === before.length && kept.every((item, place) => Object.is(item, before[place])) ? before : kept
}

function keepFields(before: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(next)
  const kept = Object.fromEntries(names.map((name) => [name, keepUnchanged(before[name], next[name])]))
  const same = names.length === Object.keys(before).length && names.every((name) => name in before && Object.is(kept[name], before[name]))
  return same ? before : kept
}

function keyOf(item: unknown): unknown {
  return isPlain(item) ? (item['key'] ?? item['conversation']) : undefined
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
