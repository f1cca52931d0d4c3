/** The states of the world that screens are looked at in. */
import { alice, deviceId, now } from './cast.ts'
import type { Scene } from './fixture-messenger.ts'

export const scenes: Readonly<Record<string, Scene>> = {
  fresh: { session: { kind: 'signed_out', why: 'fresh' } },
  signedOut: { session: { kind: 'signed_out', why: 'signed_out' } },
  storageLost: { session: { kind: 'signed_out', why: 'storage_lost' } },
  entering: { session: { kind: 'signing_in', step: 'vault' } },
  starting: { session: { kind: 'starting' } },
  sessionEnded: { session: { kind: 'session_ended', me: alice, device: deviceId('here') } },
  first: { conversations: [] },
  offline: { connection: { kind: 'offline', unsent: 3 } },
  waiting: { connection: { kind: 'waiting', until: now, unsent: 1 } },
  catchingUp: { connection: { kind: 'catching_up', unsent: 0 } },
  locked: { session: { kind: 'starting' }, lock: { kind: 'locked', by: 'pin', notBefore: 0 } },
  lockedByPasskey: { session: { kind: 'starting' }, lock: { kind: 'locked', by: 'passkey', credential: 'AA', notBefore: 0 } },
  lockSet: { lock: { kind: 'open', by: 'pin', afterMinutes: 5 } },
  damaged: { trouble: { failure: 'storage', message: 'The local database is damaged.' } },
}
