/** The names that may cross between page and worker, and what becomes of a call when the tab that was doing it is gone. */
import type { TopicName, Verbs } from '../api.ts'
import type { LockVerbs } from '../app-lock/app-lock.ts'

export type VerbName = keyof Verbs | keyof LockVerbs
/** What a page can watch: what the device tells, and the lock before it. */
export type PageTopic = TopicName | 'lock'

/**
 * repeat: doing it twice is the same as doing it once, so the next leader simply gets it again (`send` carries the id of
 * its message) · once: it may have happened, so the caller is told instead.
 */
export const verbs: Readonly<Record<VerbName, 'repeat' | 'once'>> = {
  signUp: 'once',
  signIn: 'once',
  beginPasskeySignUp: 'repeat',
  finishPasskeySignUp: 'once',
  beginPasskeySignIn: 'repeat',
  finishPasskeySignIn: 'once',
  beginLinking: 'repeat',
  claimLink: 'once',
  approveLink: 'once',
  cancelLinking: 'repeat',
  proofState: 'repeat',
  proveByPassword: 'repeat',
  beginPasskeyProof: 'repeat',
  finishPasskeyProof: 'once',
  signInWithKit: 'once',
  enterRecoveryCode: 'once',
  resetAccount: 'once',
  unlockMethods: 'repeat',
  setPassword: 'once',
  beginAddPasskey: 'repeat',
  finishAddPasskey: 'once',
  makeRecoveryKit: 'once',
  removeUnlockMethod: 'once',
  signOut: 'repeat',
  findPerson: 'repeat',
  startDirect: 'repeat',
  createGroup: 'once',
  startAnew: 'once',
  addPeople: 'once',
  removePerson: 'once',
  setRole: 'repeat',
  rename: 'repeat',
  leave: 'once',
  acceptRequest: 'repeat',
  declineRequest: 'repeat',
  send: 'repeat',
  retry: 'once',
  discard: 'once',
  markRead: 'repeat',
  saveDraft: 'repeat',
  setNickname: 'repeat',
  setBlocked: 'repeat',
  contacts: 'repeat',
  setPreference: 'repeat',
  setTyping: 'repeat',
  loadEarlier: 'once',
  forget: 'repeat',
  setHistory: 'repeat',
  eraseHistory: 'repeat',
  historyAlarmSeen: 'repeat',
  exportHistory: 'repeat',
  importHistory: 'repeat',
  settle: 'repeat',
  setPresenceSharing: 'repeat',
  sessions: 'repeat',
  revokeSession: 'repeat',
  devices: 'repeat',
  nameDevice: 'repeat',
  acknowledgeDevices: 'repeat',
  removeDevice: 'repeat',
  keyLogEvidence: 'repeat',
  securityEvents: 'repeat',
  rotateKeys: 'repeat',
  held: 'repeat',
  heldRows: 'repeat',
  safetyNumber: 'repeat',
  compareSafetyCode: 'repeat',
  setCompared: 'repeat',
  conversationNumber: 'repeat',
  setLock: 'once',
  removeLock: 'once',
  lock: 'repeat',
  unlock: 'repeat',
  stillHere: 'repeat',
  forgetDevice: 'repeat',
}

const lockVerbs: Readonly<Record<keyof LockVerbs, true>> = {
  setLock: true,
  removeLock: true,
  lock: true,
  unlock: true,
  stillHere: true,
  forgetDevice: true,
}

export const topics: Readonly<Record<PageTopic, true>> = {
  lock: true,
  session: true,
  connection: true,
  conversations: true,
  timeline: true,
  details: true,
  linking: true,
  history: true,
  newDevices: true,
  preferences: true,
  trouble: true,
}

export const isVerb = (name: unknown): name is VerbName => typeof name === 'string' && Object.hasOwn(verbs, name)
export const isTopic = (name: unknown): name is PageTopic => typeof name === 'string' && Object.hasOwn(topics, name)
export const isLockVerb = (name: VerbName): name is keyof LockVerbs => Object.hasOwn(lockVerbs, name)
