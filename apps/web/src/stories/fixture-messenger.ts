/** A messenger made of hand-written snapshots, to look at screens without a server. Never part of the built app. */
import type { ConversationSummary, Live, Messenger, Person, Topics } from '@tacit/sdk'
import type { LockState, PageMessenger } from '@tacit/sdk/browser'
import { alice, bob, carol, conversationId, conversations, dan, deviceId, messageId, minutes, now, sessionId, unlockId } from './cast.ts'
import { timelines } from './timelines.ts'

/** What a story may change about the world. */
export interface Scene {
  readonly session?: Topics['session']['snapshot']
  readonly linking?: Topics['linking']['snapshot']
  readonly newDevices?: Topics['newDevices']['snapshot']
  readonly connection?: Topics['connection']['snapshot']
  readonly conversations?: Topics['conversations']['snapshot']
  readonly history?: Topics['history']['snapshot']
  readonly trouble?: Topics['trouble']['snapshot']
  readonly lock?: LockState
}

class Value<T> implements Live<T> {
  readonly #listeners = new Set<() => void>()
  #value: T
  constructor(value: T) {
    this.#value = value
  }
  get = () => this.#value
  set(value: T): void {
    this.#value = value
    for (const listener of this.#listeners) listener()
  }
  subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

const signedIn: Topics['session']['snapshot'] = { kind: 'signed_in', me: alice, device: deviceId('here'), sharesPresence: true }
const people: readonly Person[] = [alice, bob, carol, dan]

const details = (summary: ConversationSummary): Topics['details']['snapshot'] => {
  const group = summary.kind === 'group'
  const members = group ? people : [alice, summary.peer ?? bob]
  return {
    ...summary,
    members: members.map((member, at) => ({
      ...member,
      role: at === 0 || member === carol ? 'admin' : 'member',
      me: member === alice,
      devices: at + 1,
      compared: member === bob,
      blocked: member === dan,
      ...(member === bob ? { online: true } : {}),
    })),
    removals: summary.removals ?? [],
    can: { add: group, remove: group, rename: group, leave: group, changeRoles: group },
    encryption: { suite: 'X25519 + ML-KEM-768, AES-256-GCM, SHA-384, Ed25519', epoch: 14, renewed: now - minutes(200) },
  }
}

/** A messenger in the given scene. Sending works; most other verbs answer and change nothing. */
export function fixtureMessenger(scene: Scene): PageMessenger {
  const session = new Value(scene.session ?? signedIn)
  const trouble = new Value(scene.trouble)
  const list = new Value(scene.trouble ? undefined : (scene.conversations ?? conversations))
  const connection = new Value<Topics['connection']['snapshot']>(scene.connection ?? { kind: 'online', unsent: 0 })
  const lines = new Map(Object.entries(timelines).map(([id, timeline]) => [id, new Value<Topics['timeline']['snapshot']>(timeline)]))
  const all = scene.conversations ?? conversations
  const about = new Map(all.map((summary) => [String(summary.conversation), new Value(details(summary))]))
  const nothing = new Value(undefined)
  const lock = new Value<LockState>(scene.lock ?? { kind: 'off' })
  const linking = new Value<Topics['linking']['snapshot']>(scene.linking ?? { kind: 'idle' })
  const history = new Value<Topics['history']['snapshot']>(
    scene.history ?? { on: true, messages: 4210, used: 1_460_000, quota: 134_217_728, waiting: 0 },
  )
  const newDevices = new Value(scene.newDevices ?? [])
  const lives = { session, connection, conversations: list, history, linking, newDevices, preferences: nothing, trouble }
  let sent = 0

  return {
    watch: ((topic: keyof Topics, param?: string) => {
      if (topic === 'timeline') return lines.get(param ?? '') ?? nothing
      if (topic === 'details') return about.get(param ?? '') ?? nothing
      return lives[topic]
    }) as Messenger['watch'],
    async send({ conversation, text }) {
      sent += 1
      const message = messageId(`sent-${sent}`)
      const timeline = lines.get(conversation)
      const before = timeline?.get()
      if (timeline !== undefined && before !== undefined) {
        const item = {
          kind: 'message',
          key: message,
          message,
          sender: alice,
          mine: true,
          text,
          time: now,
          state: { kind: 'sending' },
        } as const
        timeline.set({ ...before, items: [...before.items, item] })
      }
      return message
    },
    settle: async () => 'settled',
    setHistory: async ({ on }) => {
      const before = history.get()
      history.set(before && { ...before, on })
    },
    eraseHistory: async () => history.set({ on: false, messages: 0, used: 0, quota: 134_217_728, waiting: 0 }),
    exportHistory: async () => ({
      format: 'tacit history',
      version: 1,
      account: alice.account,
      handle: alice.handle,
      exported: new Date(now).toISOString(),
      checksum: '',
      people: [...people],
      conversations: [],
    }),
    importHistory: async () => ({ kind: 'imported', added: 12, known: 4198 }),
    findPerson: async ({ handle }) => people.find((person) => person.handle.toLowerCase() === handle.toLowerCase()),
    startDirect: async () => conversationId('bob'),
    createGroup: async () => conversationId('hike'),
    sessions: async () => [
      {
        session: sessionId('s1'),
        device: deviceId('here'),
        method: 'passkey',
        current: true,
        createdAt: now - minutes(9000),
        lastUsedAt: now,
      },
      {
        session: sessionId('s2'),
        device: deviceId('phone'),
        method: 'password',
        current: false,
        createdAt: now - minutes(90_000),
        lastUsedAt: now - minutes(190),
      },
    ],
    securityEvents: async ({ before }) =>
      before === undefined
        ? [
            { position: 9, kind: 'sign_in_failed', method: 'password', times: 4, time: now - minutes(20) },
            { position: 7, kind: 'device_added', device: deviceId('phone'), times: 1, time: now - minutes(90_000) },
            { position: 6, kind: 'signed_in', method: 'password', times: 1, time: now - minutes(90_000) },
            { position: 2, kind: 'account_made', method: 'passkey', device: deviceId('here'), times: 1, time: now - minutes(200_000) },
          ]
        : [],
    keyLogEvidence: async () => [],
    held: async () => [
      {
        table: 'account',
        rows: 1,
        columns: [{ column: 'handle', what: 'the name the person chose to be found by', kept: 'until the account is erased' }],
      },
    ],
    heldRows: async () => [['alice']],
    safetyNumber: async ({ account }) => ({
      person: people.find((person) => person.account === account) ?? bob,
      digits: Array.from({ length: 12 }, (_, at) => String(10_007 + at * 7919)),
      code: `tacit-safety:1:${'A'.repeat(86)}`,
      compared: account === bob.account,
    }),
    compareSafetyCode: async () => 'not_a_code',
    setCompared: async () => undefined,
    conversationNumber: async () => Array.from({ length: 6 }, (_, at) => String(20_011 + at * 7919)),
    devices: async () => [
      { device: deviceId('here'), current: true, name: 'Firefox on Linux', notAfter: now + minutes(500_000) },
      { device: deviceId('phone'), current: false, name: 'Chrome on Android', notAfter: now + minutes(400_000) },
    ],
    proofState: async () => ({ methods: ['password', 'passkey'], provedFor: 0 }),
    beginPasskeyProof: async () => ({ ceremony: 'c', options: {} }),
    contacts: async () => [
      { ...bob, nickname: 'Bobby', blocked: false },
      { ...dan, blocked: true },
    ],
    unlockMethods: async () => [
      { unlock: unlockId('u1'), kind: 'passkey', addedAt: now - minutes(9000) },
      { unlock: unlockId('u2'), kind: 'kit', addedAt: now - minutes(8000) },
    ],
    makeRecoveryKit: async () => ({
      server: 'https://chat.example.org',
      handle: 'Alice',
      words: 'legal winner thank year wave sausage worth useful legal winner thank yellow'.split(' '),
      code: 'tacit-kit 1',
      madeAt: now,
    }),
    beginAddPasskey: async () => ({ ceremony: 'c', options: {} }),
    signInWithKit: async () => session.set(signedIn),
    resetAccount: async () => session.set(signedIn),
    beginPasskeySignUp: async () => ({ ceremony: 'c', options: {} }),
    beginPasskeySignIn: async () => ({ ceremony: 'c', options: {} }),
    finishPasskeySignUp: async () => session.set(signedIn),
    finishPasskeySignIn: async () => session.set(signedIn),
    signUp: async () => session.set(signedIn),
    signIn: async () => session.set(signedIn),
    signOut: async () => session.set({ kind: 'signed_out', why: 'signed_out' }),
    lock: {
      state: lock,
      setLock: async ({ secret, afterMinutes }) => lock.set({ kind: 'open', by: secret.kind, afterMinutes }),
      removeLock: async () => lock.set({ kind: 'off' }),
      lock: async () => lock.set({ kind: 'locked', by: 'pin', notBefore: 0 }),
      unlock: async ({ secret }) => lock.set({ kind: 'open', by: secret.kind, afterMinutes: 5 }),
      stillHere: async () => undefined,
      forgetDevice: async () => session.set({ kind: 'signed_out', why: 'signed_out' }),
    },
    ...silent,
  }
}

const done = async () => undefined

const silent = {
  saveDraft: done,
  setNickname: done,
  setBlocked: done,
  setPreference: done,
  setPassword: done,
  finishAddPasskey: done,
  removeUnlockMethod: done,
  enterRecoveryCode: done,
  startAnew: async () => conversationId('hike'),
  addPeople: done,
  removePerson: done,
  setRole: done,
  rename: done,
  rotateKeys: done,
  leave: done,
  acceptRequest: done,
  declineRequest: done,
  forget: done,
  historyAlarmSeen: done,
  retry: done,
  discard: done,
  markRead: done,
  setTyping: done,
  loadEarlier: done,
  setPresenceSharing: done,
  revokeSession: done,
  nameDevice: done,
  removeDevice: done,
  acknowledgeDevices: done,
  beginLinking: done,
  claimLink: done,
  approveLink: done,
  cancelLinking: done,
  proveByPassword: done,
  finishPasskeyProof: done,
  close: done,
}
