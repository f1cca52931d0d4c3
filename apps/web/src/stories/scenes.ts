/** The states of the world that screens are looked at in. */
import { alice, conversations, dan, deviceId, minutes, now, requests } from './cast.ts'
import type { Scene } from './fixture-messenger.ts'

export const scenes: Readonly<Record<string, Scene>> = {
  fresh: { session: { kind: 'signed_out', why: 'fresh' } },
  signedOut: { session: { kind: 'signed_out', why: 'signed_out' } },
  storageLost: { session: { kind: 'signed_out', why: 'storage_lost' } },
  entering: { session: { kind: 'signing_in', step: 'vault' } },
  starting: { session: { kind: 'starting' } },
  sessionEnded: { session: { kind: 'session_ended', me: alice, device: deviceId('here') } },
  first: { conversations: [] },
  requests: { conversations: [...conversations, ...requests] },
  offline: { connection: { kind: 'offline', unsent: 3 } },
  waiting: { connection: { kind: 'waiting', until: now, unsent: 1 } },
  catchingUp: { connection: { kind: 'catching_up', unsent: 0 } },
  locked: { session: { kind: 'starting' }, lock: { kind: 'locked', by: 'pin', notBefore: 0 } },
  lockedByPasskey: { session: { kind: 'starting' }, lock: { kind: 'locked', by: 'passkey', credential: 'AA', notBefore: 0 } },
  lockSet: { lock: { kind: 'open', by: 'pin', afterMinutes: 5 } },
  restoring: {
    history: { on: true, messages: 4210, used: 1_460_000, quota: 134_217_728, waiting: 0, restoring: { done: 1204, total: 4210 } },
  },
  historyHidden: { history: { on: true, messages: 4210, used: 1_460_000, quota: 134_217_728, waiting: 12, trouble: 'rolled_back' } },
  damaged: { trouble: { failure: 'storage', message: 'The local database is damaged.' } },
  removalLate: {
    conversations: conversations.map((one) =>
      one.kind === 'group' ? { ...one, removals: [{ person: dan, asked: now - minutes(26), late: true }] } : one,
    ),
  },
  stuck: { conversations: conversations.map((one) => (one.kind === 'group' ? { ...one, standing: 'stuck' } : one)) },
  linkShowing: {
    session: { kind: 'signed_out', why: 'signed_out' },
    linking: {
      kind: 'showing',
      code: '7KQ2-M4XD',
      qr: `tacit-link:1:7KQ2M4XD:${'A'.repeat(43)}:https://chat.example.org`,
      until: now + 73_000,
    },
  },
  linkComparingNew: {
    session: { kind: 'signed_out', why: 'signed_out' },
    linking: { kind: 'comparing', side: 'new', digits: '408213', handle: 'Alice', until: now + 100_000 },
  },
  linkOverNew: { session: { kind: 'signed_out', why: 'signed_out' }, linking: { kind: 'over', side: 'new', why: 'expired' } },
  linkComparingOld: { linking: { kind: 'comparing', side: 'old', digits: '408213', until: now + 100_000 } },
  linkDone: { linking: { kind: 'done', side: 'old' } },
  linkUsed: { linking: { kind: 'over', side: 'old', why: 'used' } },
  newDevice: { newDevices: [deviceId('phone')] },
}
