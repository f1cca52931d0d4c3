import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import { describe, expect, test } from 'vitest'
import { MessengerError, type ConversationSummary, type Messenger, type SessionState } from '../api.ts'
import type { LockState } from '../app-lock/app-lock.ts'
import { LiveValue } from '../live.ts'
import { Host, type HostLock } from './host.ts'
import type { Reply } from './messages.ts'
import type { PageTopic } from './verbs.ts'

const alice: SessionState = {
  kind: 'signed_in',
  me: { account: 'AAAAAAAAAAAAAAAAAAAAAQ' as AccountId, handle: 'alice' },
  device: 'AAAAAAAAAAAAAAAAAAAAAg' as DeviceId,
  sharesPresence: false,
}

describe('a host', () => {
  test('sends a page one snapshot at a time, and then the newest', async () => {
    const { host, device, replies } = world()
    watch(host, 'page', 'conversations')
    await settle()
    for (let n = 0; n < 1000; n++) device.conversations.set([summary(n)])
    expect(snapshots(replies)).toEqual([[summary(0)]])
    host.receive('page', { type: 'seen', key: 'conversations' })
    host.receive('page', { type: 'seen', key: 'conversations' })
    expect(snapshots(replies)).toEqual([[summary(0)], [summary(999)]])
    device.conversations.set([])
    expect(snapshots(replies)).toHaveLength(3)
  })

  test('says nothing before there is something to say, so that a page keeps what it shows', async () => {
    const { host, device, replies } = world()
    watch(host, 'page', 'session')
    watch(host, 'page', 'conversations')
    await settle()
    expect(replies).toEqual([])
    device.session.set(alice)
    expect(snapshots(replies)).toEqual([alice])
  })

  test('opens the device once for all who need it', async () => {
    const { host, opened } = world()
    watch(host, 'page', 'session')
    watch(host, 'other', 'session')
    host.receive('page', { type: 'call', id: '1', verb: 'sessions', request: undefined })
    await settle()
    expect(opened()).toBe(1)
  })

  test('no longer looks after a page that is gone or a watch that ended', async () => {
    const { host, device, replies } = world()
    watch(host, 'page', 'conversations')
    watch(host, 'other', 'conversations')
    await settle()
    host.forget('page')
    host.receive('other', { type: 'unwatch', key: 'conversations' })
    expect(device.conversations.watched).toBe(false)
    device.conversations.set([])
    expect(replies).toEqual([])
  })

  test('tells page and caller when the device cannot be opened, and tries again at the next call', async () => {
    const { host, replies, fail } = world()
    fail(new MessengerError('storage', 'The local database is damaged.'))
    watch(host, 'page', 'session')
    await settle()
    expect(replies).toEqual([{ type: 'trouble', error: { failure: 'storage', message: 'The local database is damaged.' } }])
    host.receive('page', { type: 'call', id: '1', verb: 'sessions', request: undefined })
    await settle()
    expect(replies).toContainEqual({ type: 'failed', id: '1', error: { failure: 'storage', message: 'The local database is damaged.' } })
    fail(undefined)
    host.receive('page', { type: 'call', id: '2', verb: 'sessions', request: undefined })
    await settle()
    expect(replies).toContainEqual({ type: 'done', id: '2', value: [] })
  })

  test('lets nothing of an unexpected error out to a page', async () => {
    const { host, replies, fail } = world()
    fail(new Error('secret-4711'))
    host.receive('page', { type: 'call', id: '1', verb: 'sessions', request: undefined })
    await settle()
    expect(replies).toMatchObject([{ type: 'failed', error: { failure: 'internal' } }])
    expect(JSON.stringify(replies)).not.toContain('secret-4711')
  })

  test('after a sign-out opens nothing for those who only look', async () => {
    const { host, device, replies, opened } = world()
    device.session.set(alice)
    watch(host, 'page', 'session')
    await settle()
    host.receive('page', { type: 'call', id: '1', verb: 'signOut', request: undefined })
    await settle()
    watch(host, 'other', 'session')
    await settle()
    expect(snapshots(replies)).toEqual([alice, { kind: 'signed_out', why: 'signed_out' }, { kind: 'signed_out', why: 'signed_out' }])
    expect(opened()).toBe(1)
    host.receive('other', { type: 'call', id: '2', verb: 'sessions', request: undefined })
    await settle()
    expect(opened()).toBe(2)
  })
})

describe('a host behind an app lock', () => {
  test('opens nothing and answers nothing while the lock is closed, and is no trouble', async () => {
    const { host, lock, replies, opened } = world()
    lock.state.set(closed)
    watch(host, 'page', 'session')
    watch(host, 'page', 'lock')
    host.receive('page', { type: 'call', id: '1', verb: 'sessions', request: undefined })
    await settle()
    expect(opened()).toBe(0)
    expect(replies).toEqual([
      { type: 'snapshot', key: 'lock', value: closed },
      { type: 'failed', id: '1', error: { failure: 'locked', message: 'The app lock is closed.' } },
    ])
  })

  test('goes on with every watch when it is unlocked', async () => {
    const { host, device, lock, replies } = world()
    lock.state.set(closed)
    device.conversations.set([summary(1)])
    watch(host, 'page', 'conversations')
    await settle()
    unlock(host)
    await settle()
    expect(snapshots(replies)).toEqual([[summary(1)]])
  })

  test('tells nothing more of the device once it is locked, by hand or because nobody was there', async () => {
    for (const close of [lockByHand, (_: Host, lock: HostLock) => lock.onDue()]) {
      const { host, device, lock, replies, opened } = world()
      await lock.unlock({ secret: pin })
      watch(host, 'page', 'conversations')
      await settle()
      close(host, lock)
      await settle()
      expect(lock.state.get()).toEqual(closed)
      expect(device.conversations.watched).toBe(false)
      device.conversations.set([summary(7)])
      host.receive('page', { type: 'call', id: '2', verb: 'sessions', request: undefined })
      await settle()
      expect(snapshots(replies)).not.toContainEqual([summary(7)])
      expect(replies.find((reply) => reply.type === 'failed')).toMatchObject({ id: '2', error: { failure: 'locked' } })
      unlock(host)
      await settle()
      expect(opened()).toBe(2)
    }
  })

  test('forgets the device of somebody who does not know the secret any more, and only then', async () => {
    const { host, lock, replies } = world()
    watch(host, 'page', 'session')
    host.receive('page', { type: 'call', id: '1', verb: 'forgetDevice', request: undefined })
    await settle()
    expect(replies).toContainEqual({ type: 'failed', id: '1', error: { failure: 'not_allowed', message: 'Sign out instead.' } })
    lock.state.set(closed)
    host.receive('page', { type: 'call', id: '2', verb: 'forgetDevice', request: undefined })
    await settle()
    expect(replies).toContainEqual({ type: 'done', id: '2', value: undefined })
    expect(snapshots(replies)).toEqual([{ kind: 'signed_out', why: 'signed_out' }])
  })
})

const pin = { kind: 'pin', pin: '314159' } as const
const unlock = (host: Host) => host.receive('page', { type: 'call', id: 'unlock', verb: 'unlock', request: { secret: pin } })
const lockByHand = (host: Host) => host.receive('page', { type: 'call', id: 'lock', verb: 'lock', request: undefined })

/** A host over a device whose values the test sets. */
function world() {
  const replies: Reply[] = []
  const device = {
    session: new LiveValue<SessionState>({ kind: 'starting' }),
    conversations: new LiveValue<readonly ConversationSummary[] | undefined>(undefined),
  }
  let failure: Error | undefined
  let openings = 0
  const lock = pretendLock()
  const host = new Host({
    lock,
    erase: async () => lock.state.set({ kind: 'off' }),
    async open() {
      openings++
      if (failure) throw failure
      return pretend(device)
    },
    reply: (_, reply) => replies.push(reply),
  })
  return { host, device, lock, replies, opened: () => openings, fail: (error: Error | undefined) => void (failure = error) }
}

/** A lock that any PIN opens. */
function pretendLock(): HostLock & { readonly state: LiveValue<LockState> } {
  const state = new LiveValue<LockState>({ kind: 'off' })
  const open = async () => state.set({ kind: 'open', by: 'pin', afterMinutes: 5 })
  return {
    state,
    onDue: () => undefined,
    look: async () => state.get(),
    set: open,
    remove: async () => state.set({ kind: 'off' }),
    unlock: open,
    lock: async () => state.set(closed),
    stillHere: () => undefined,
    forget: () => undefined,
  }
}

const closed: LockState = { kind: 'locked', by: 'pin', notBefore: 0 }

function pretend(device: {
  session: LiveValue<SessionState>
  conversations: LiveValue<readonly ConversationSummary[] | undefined>
}): Messenger {
  const part: Pick<Messenger, 'sessions' | 'signOut' | 'close'> = {
    sessions: async () => [],
    signOut: async () => device.session.set({ kind: 'signed_out', why: 'signed_out' }),
    close: async () => undefined,
  }
  return Object.assign(Object.create(null), part, { watch: (topic: 'session' | 'conversations') => device[topic] })
}

function watch(host: Host, page: string, topic: PageTopic): void {
  host.receive(page, { type: 'watch', key: topic, topic })
}

const snapshots = (replies: readonly Reply[]) => replies.flatMap((reply) => (reply.type === 'snapshot' ? [reply.value] : []))

function summary(n: number): ConversationSummary {
  const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
  return { conversation, kind: 'group', title: String(n), standing: 'active', people: 1, unread: n, lastActivity: n, typing: [] }
}

/** Until everything that was promised has happened; nothing here waits for the world. */
const settle = () => new Promise((resolve) => setImmediate(resolve))
