/**
 * Signing up: account, credential, vault, first device with its signed list, key packages and a session come into being
 * together, or not at all.
 */
import {
  foldHandle,
  Handle,
  handleSkeleton,
  isReservedHandle,
  Refusal,
  type AccountId,
  type RouteInput,
  type Routes,
  type SessionTokens,
} from '@tacit/contract'
import type { Clock } from '../clock.ts'
import type { Credentials, NewCredential } from '../credentials/credentials.ts'
import type { Devices } from '../devices/devices.ts'
import type { Log } from '../log.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { createVault } from '../vault/vault.ts'
import * as store from './accounts.store.ts'

export interface SignUpDeps {
  readonly database: Database
  readonly clock: Clock
  readonly credentials: Credentials
  readonly devices: Devices
  readonly sessions: Sessions
  readonly events: Pick<SecurityEvents, 'note'>
  readonly log: Log
}

export type SignUpRequest = RouteInput<Routes['accounts']['signUp']>['body']

/** The handle, if it may be used and nobody has it or a twin of it. Refuses `handle_not_allowed` and `handle_taken`. */
export async function claimableHandle(database: Database, typed: string): Promise<Handle> {
  const handle = Handle.safeParse(typed).data
  if (!handle || isReservedHandle(handle)) throw new Refusal('handle_not_allowed')
  if (await store.isTaken(database.kysely, handle)) throw new Refusal('handle_taken')
  return handle
}

export async function signUp(request: SignUpRequest, deps: SignUpDeps): Promise<SessionTokens> {
  const { database, devices, sessions, credentials, events, clock } = deps
  const { account, accountKey, enrolment, vault, unlock, method } = request
  const handle = await claimableHandle(database, request.handle)
  if (unlock.kind !== method.kind) throw new Refusal('malformed', { field: 'unlock.kind' })
  const { device, deviceList } = enrolment
  const first = await devices.checkFirst({ account, accountKey, device, deviceList, keys: enrolment.keys })
  const credential = await proveMethod(request, credentials)
  const tokens = await database.write(async (tx) => {
    if (await store.findAccount(tx, account)) throw new Refusal('already_exists')
    if (await store.isTaken(tx, handle)) throw new Refusal('handle_taken')
    await store.addAccount(tx, newRow({ account, handle, now: clock.now() }))
    await credentials.add(tx, { account, credential, unlock: unlock.id })
    await createVault(tx, { account, bytes: vault, unlock })
    await devices.addFirst(tx, first)
    await events.note(tx, { account, kind: 'account_made', method: method.kind, device })
    return sessions.open(tx, { account, device, method: method.kind })
  })
  deps.log('account_made', { method: method.kind })
  return tokens
}

/** The credential, proved. Refuses `expired`, `malformed` and `wrong_credentials`. */
export function proveMethod(
  { account, method }: Pick<SignUpRequest, 'account' | 'method'>,
  credentials: Credentials,
): Promise<NewCredential> | NewCredential {
  if (method.kind === 'password') return credentials.checkPassword({ account, record: method.registrationRecord })
  return credentials.checkPasskey({ account, challenge: method.challenge, response: method.response })
}

const newRow = ({ account, handle, now }: { account: AccountId; handle: Handle; now: number }): store.AccountRow => ({
  id: account,
  handle,
  handle_folded: foldHandle(handle),
  handle_skeleton: handleSkeleton(handle),
  shares_presence: 0,
  created_at: now,
})
