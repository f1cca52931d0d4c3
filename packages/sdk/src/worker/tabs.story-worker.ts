/**
 * The worker of the tests about tabs: a real store under a small device that keeps lines of text. Its name is the scope,
 * and then what is wrong with it.
 * It tells a witness when a device is opened, which is how the tests know who leads.
 */
import type { AccountId, DeviceId, MessageId } from '@tacit/contract'
import { MessengerError, type Live, type Messenger, type SessionState, type Timeline, type TopicName, type Topics } from '../api.ts'
import { startTabWorker, type CoreParts } from './start.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { LiveQuery, LiveValue } from '../live.ts'

const alice = { account: 'AAAAAAAAAAAAAAAAAAAAAQ' as AccountId, handle: 'alice' }
const device = 'AAAAAAAAAAAAAAAAAAAAAg' as DeviceId

const scope = self.name.slice(0, self.name.indexOf(' '))
const variant = self.name.slice(scope.length + 1)
let failsNext = variant === 'fails once'
const witness = new BroadcastChannel(`${scope}:witness`)

startTabWorker({ scope, openCore })

async function openCore({ store, storageLost, slot }: CoreParts): Promise<Messenger> {
  if (failsNext) {
    failsNext = false
    throw new MessengerError('storage', 'Not this time.')
  }
  witness.postMessage('opened')
  witness.postMessage({ slot: slot() })
  await store.transaction((writer) =>
    writer.run('create table if not exists line (n integer primary key, message unique, text); create table if not exists me (handle)'),
  )
  const known = await store.get('select handle from me')
  const session = new LiveValue<SessionState>(known ? signedIn : { kind: 'signed_out', why: storageLost ? 'storage_lost' : 'fresh' })
  const timeline = new LiveQuery<Timeline | undefined>(
    undefined,
    () => readTimeline(store),
    () => undefined,
  )
  const nothing = new LiveValue(undefined)
  const lives: { readonly [T in TopicName]: Live<Topics[T]['snapshot']> } = {
    session,
    timeline,
    connection: new LiveValue<Topics['connection']['snapshot']>({ kind: 'online', unsent: 0 }),
    conversations: nothing,
    details: nothing,
    newDevices: new LiveValue<Topics['newDevices']['snapshot']>([]),
    linking: new LiveValue<Topics['linking']['snapshot']>({ kind: 'idle' }),
    history: nothing,
    preferences: nothing,
    trouble: nothing,
  }

  return {
    ...everythingElse,
    async signIn({ handle }) {
      if (handle === 'mallory') throw new MessengerError('rate_limited', 'Wait a little.', { retryAfter: 7 })
      await store.transaction((writer) => writer.run('insert into me values (?)', [handle]))
      session.set(signedIn)
    },
    async signOut() {
      if (!(await store.get('select handle from me'))) throw new MessengerError('not_signed_in', 'Nobody is signed in.')
      await store.wipe()
      if (variant === 'is killed while signing out') {
        witness.postMessage('wiped')
        await new Promise(() => undefined)
      }
      session.set({ kind: 'signed_out', why: 'signed_out' })
    },
    async send({ text, message }) {
      if (message === undefined) throw new MessengerError('malformed', 'A page gives every message its id.')
      await store.transaction((writer) => writer.run('insert or ignore into line (message, text) values (?, ?)', [message, text]))
      timeline.refresh()
      // Written, but the answer never leaves; the next leader is asked again.
      if (text.startsWith('unanswered') && (await store.get('select count(*) as n from line'))?.['n'] === 1) {
        witness.postMessage('written')
        await new Promise(() => undefined)
      }
      return message
    },
    async createGroup() {
      witness.postMessage('creating')
      return new Promise(() => undefined)
    },
    watch: <T extends TopicName>(...[topic]: readonly [topic: T, ...unknown[]]) => lives[topic],
    async close() {
      witness.postMessage('closed')
      await store.close()
    },
  }
}

const signedIn: SessionState = { kind: 'signed_in', me: alice, device, sharesPresence: false }

async function readTimeline(store: StoreDriver): Promise<Timeline> {
  const rows = await store.all('select message, text from line order by n')
  const items = rows.map(({ message, text }) => ({
    kind: 'message' as const,
    key: String(message),
    message: String(message) as MessageId,
    sender: alice,
    mine: true,
    text: String(text),
    time: 0,
    state: { kind: 'accepted' as const },
  }))
  return { items, hasEarlier: false, typing: [] }
}

const notHere = () => Promise.reject(new MessengerError('unsupported', 'Not in this story.'))
const everythingElse = {
  signUp: notHere,
  signInWithKit: notHere,
  enterRecoveryCode: notHere,
  resetAccount: notHere,
  unlockMethods: notHere,
  setPassword: notHere,
  beginAddPasskey: notHere,
  finishAddPasskey: notHere,
  makeRecoveryKit: notHere,
  removeUnlockMethod: notHere,
  beginPasskeySignUp: notHere,
  finishPasskeySignUp: notHere,
  beginPasskeySignIn: notHere,
  finishPasskeySignIn: notHere,
  findPerson: notHere,
  startDirect: notHere,
  startAnew: notHere,
  addPeople: notHere,
  removePerson: notHere,
  setRole: notHere,
  rename: notHere,
  leave: notHere,
  acceptRequest: notHere,
  declineRequest: notHere,
  retry: notHere,
  discard: notHere,
  markRead: notHere,
  saveDraft: notHere,
  setNickname: notHere,
  setBlocked: notHere,
  contacts: notHere,
  setPreference: notHere,
  setTyping: notHere,
  loadEarlier: notHere,
  forget: notHere,
  setHistory: notHere,
  eraseHistory: notHere,
  historyAlarmSeen: notHere,
  exportHistory: notHere,
  importHistory: notHere,
  settle: notHere,
  setPresenceSharing: notHere,
  sessions: notHere,
  revokeSession: notHere,
  devices: notHere,
  nameDevice: notHere,
  removeDevice: notHere,
  acknowledgeDevices: notHere,
  beginLinking: notHere,
  claimLink: notHere,
  approveLink: notHere,
  cancelLinking: notHere,
  proofState: notHere,
  proveByPassword: notHere,
  beginPasskeyProof: notHere,
  finishPasskeyProof: notHere,
  keyLogEvidence: async () => [],
  securityEvents: notHere,
  rotateKeys: notHere,
  held: notHere,
  heldRows: notHere,
  safetyNumber: notHere,
  compareSafetyCode: notHere,
  setCompared: notHere,
  conversationNumber: notHere,
}
