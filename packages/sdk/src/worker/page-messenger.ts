/**
 * The `Messenger` of a page: every verb and watch goes to whichever worker leads. Until somebody signs in or acts, and
 * unless this browser remembers a device, no worker is started, so the first page loads neither SQLite nor MLS.
 */
import { toBase64Url, type MessageId } from '@tacit/contract'
import { MessengerError, type Messenger, type TopicName, type Topics, type Verbs } from '../api.ts'
import type { AppLock, LockVerbs } from '../app-lock/app-lock.ts'
import { Link } from './link.ts'
import type { Memory } from './memory.ts'
import { Snapshots } from './snapshots.ts'
import { isVerb, verbs, type VerbName } from './verbs.ts'

export interface PageOptions {
  readonly createWorker: () => Worker
  readonly memory: Memory
  readonly onTrouble: (error: MessengerError) => void
  readonly onOutdated: () => void
}

/** A messenger behind the app lock of its browser. */
export interface PageMessenger extends Messenger {
  readonly lock: AppLock
}

export function openPageMessenger(options: PageOptions): PageMessenger {
  const { memory } = options
  const link = new Link({
    createWorker: options.createWorker,
    onLeader: () => snapshots.active().forEach((watch) => link.tell({ type: 'watch', ...watch })),
    onSnapshot: (key, value) => snapshots.apply(key, value),
    onTrouble: options.onTrouble,
    onOutdated: options.onOutdated,
  })
  const snapshots = new Snapshots({
    firstSession: () => (memory.hasDevice() ? { kind: 'starting' } : { kind: 'signed_out', why: 'fresh' }),
    watch: (watch) => link.tell({ type: 'watch', ...watch }),
    unwatch: (key) => link.tell({ type: 'unwatch', key }),
  })

  const session = snapshots.live('session')
  const lock = snapshots.live('lock')
  const stops = [
    // What was on screen must not stay in memory behind a closed lock.
    lock.subscribe(() => lock.get().kind === 'locked' && snapshots.clear()),
    session.subscribe(() => followSession(session.get())),
    memory.onChange((device) => {
      link.remember(device, memory.slot())
      if (device) link.start()
    }),
  ]
  link.remember(memory.hasDevice(), memory.slot())
  if (memory.hasDevice()) link.start()

  function followSession(state: Topics['session']['snapshot']): void {
    if (state.kind === 'signed_out') snapshots.clear()
    if (state.kind === 'starting' || state.kind === 'signing_in') return
    if (state.kind === 'signed_in') memory.keepSlot(state.device)
    remember(state.kind !== 'signed_out')
  }

  function remember(device: boolean): void {
    memory.remember(device)
    link.remember(device, memory.slot())
  }

  async function signOut(): Promise<void> {
    // Beforehand: whoever takes over in the middle of it must not call the empty store a loss.
    remember(false)
    try {
      await link.call('signOut', undefined)
      // It took itself off the list: nobody's place is to be taken.
      memory.keepSlot(undefined)
      remember(false)
    } catch (error) {
      // The leader before had already done it.
      if (error instanceof MessengerError && error.failure === 'not_signed_in') return
      remember(session.get().kind !== 'signed_out')
      throw error
    }
  }

  async function forgetDevice(): Promise<void> {
    remember(false)
    try {
      await link.call('forgetDevice', undefined)
    } catch (error) {
      remember(true)
      throw error
    }
  }

  const { setLock, removeLock, lock: close, unlock, stillHere, ...calls } = callsOf(link)
  return {
    ...calls,
    signOut,
    // With an id of its own it can be said again to another leader without becoming two messages.
    send: (request) => calls.send({ message: mintMessageId(), ...request }),
    lock: { state: lock, setLock, removeLock, lock: close, unlock, stillHere, forgetDevice },
    watch: <T extends TopicName>(topic: T, ...param: readonly (string | undefined)[]) => snapshots.live(topic, param[0]),
    async close() {
      for (const stop of stops) stop()
      await link.close()
    },
  }
}

/** Every verb as a call of whichever worker leads. */
function callsOf(link: Link): Verbs & LockVerbs {
  const call = (name: VerbName) => (request?: object) => link.call(name, request)
  const calls: Iterable<readonly unknown[]> = Object.keys(verbs)
    .filter(isVerb)
    .map((name) => [name, call(name)])
  // `verbs` names each of them, and the worker runs the same build: it answers with what the verb of that name returns.
  const said: Verbs & LockVerbs = Object.fromEntries(calls)
  return said
}

const mintMessageId = (): MessageId => toBase64Url(crypto.getRandomValues(new Uint8Array(16))) as MessageId
