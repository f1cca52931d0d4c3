import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import { describe, expect, test } from 'vitest'
import { MessengerError, type ConversationSummary, type Messenger, type SessionState, type TopicName } from '../api.ts'
import { LiveValue } from '../live.ts'
import { Host } from './host.ts'
import type { Reply } from './messages.ts'

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

/** A host over a device whose values the test sets. */
function world() {
  const replies: Reply[] = []
  const device = {
    session: new LiveValue<SessionState>({ kind: 'starting' }),
    conversations: new LiveValue<readonly ConversationSummary[] | undefined>(undefined),
  }
  let failure: Error | undefined
  let openings = 0
  const host = new Host({
    async open() {
      openings++
      if (failure) throw failure
      return pretend(device)
    },
    reply: (_, reply) => replies.push(reply),
  })
  return { host, device, replies, opened: () => openings, fail: (error: Error | undefined) => void (failure = error) }
}

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

function watch(host: Host, page: string, topic: TopicName): void {
  host.receive(page, { type: 'watch', key: topic, topic })
}

const snapshots = (replies: readonly Reply[]) => replies.flatMap((reply) => (reply.type === 'snapshot' ? [reply.value] : []))

function summary(n: number): ConversationSummary {
  const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
  return { conversation, kind: 'group', title: String(n), standing: 'active', people: 1, unread: n, lastActivity: n, typing: [] }
}

/** Until everything that was promised has happened; nothing here waits for the world. */
const settle = () => new Promise((resolve) => setImmediate(resolve))
