/** Signing in, renewing and ending sessions, tied to the contract. */
import { foldHandle, Refusal, type AccountId, type Routes, type SignInMethod } from '@tacit/contract'
import type { AccountCaller, DeviceCaller, RoomHandlers } from '../gateway/caller.ts'
import type { Credentials } from '../credentials/credentials.ts'
import type { Proofs } from '../credentials/proofs.ts'
import { addressKey, type Limits } from '../gateway/limits.ts'
import type { Log } from '../log.ts'
import type { Database } from '../storage/database.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Sessions } from './sessions.ts'
import type { Kits } from '../unlocks/kits.ts'

export interface SessionRoutesDeps {
  readonly sessions: Sessions
  readonly credentials: Credentials
  readonly proofs: Proofs
  readonly kits: Kits
  /** Who it is, by a code from the operator. Refuses `wrong_credentials`. */
  readonly useRecoveryCode: (given: { account: AccountId | undefined; code: string }) => Promise<AccountId>
  readonly database: Database
  readonly limits: Limits
  readonly events: Pick<SecurityEvents, 'note'>
  readonly log: Log
  /** The account with this handle, in any case. */
  readonly findAccount: (handle: string) => Promise<AccountId | undefined>
}

export function sessionHandlers(deps: SessionRoutesDeps): RoomHandlers<Routes['sessions']> {
  const { sessions, credentials, kits, database, limits, findAccount, events, log } = deps
  const signIn = async (method: SignInMethod, proof: Promise<AccountId>) => {
    const account = await proof.catch((error: unknown) => {
      log('sign_in_failed', { method })
      throw error
    })
    log('signed_in', { method })
    return database.write(async (tx) => {
      await events.note(tx, { account, kind: 'signed_in', method })
      return sessions.open(tx, { account, device: null, method })
    })
  }
  return {
    ...proofHandlers(deps),
    async startPasswordSignIn({ body, caller }) {
      await limits.spend('sign_in_address', addressKey(caller.address))
      await limits.spend('sign_in_account', foldHandle(body.handle))
      const account = await findAccount(body.handle)
      return credentials.startPasswordSignIn({ handle: body.handle, account, request: body.startLoginRequest })
    },
    finishPasswordSignIn: ({ body }) =>
      signIn('password', credentials.finishPasswordSignIn({ challenge: body.challenge, request: body.finishLoginRequest })),
    async startPasskeySignIn({ caller }) {
      await limits.spend('sign_in_address', addressKey(caller.address))
      return credentials.startPasskeySignIn()
    },
    finishPasskeySignIn: ({ body }) => signIn('passkey', credentials.finishPasskeySignIn(body)),
    async startKitSignIn({ body, caller }) {
      await limits.spend('sign_in_address', addressKey(caller.address))
      return kits.start(body.kit)
    },
    finishKitSignIn: ({ body }) => signIn('kit', kits.finish(body)),
    async recover({ body, caller }) {
      await limits.spend('sign_in_address', addressKey(caller.address))
      await limits.spend('sign_in_account', foldHandle(body.handle))
      const account = await findAccount(body.handle)
      return signIn('recovery', deps.useRecoveryCode({ account, code: body.code }))
    },
    async renew({ body, caller }) {
      await limits.spend('renew', addressKey(caller.address))
      return sessions.renew(body.refreshToken)
    },
    async list({ caller }) {
      const all = await sessions.list(caller.account)
      return {
        sessions: all.map(({ session, device, method, createdAt, lastUsedAt }) => ({
          session,
          device,
          method,
          current: session === caller.session,
          createdAt: new Date(createdAt).toISOString(),
          lastUsedAt: new Date(lastUsedAt).toISOString(),
        })),
      }
    },
    async signOut({ caller }) {
      await sessions.end({ account: caller.account, session: caller.session, kind: 'signed_out' })
      return null
    },
    async revoke({ params, caller }) {
      if (!(await sessions.end({ account: caller.account, session: params.session, kind: 'session_ended' }))) throw new Refusal('not_found')
      return null
    },
  }
}

type ProofRoutes = 'proof' | `${'start' | 'finish'}${'Password' | 'Passkey'}Proof`

function proofHandlers({ sessions, proofs, limits, log }: SessionRoutesDeps): Pick<RoomHandlers<Routes['sessions']>, ProofRoutes> {
  const proved = async (method: SignInMethod, { session }: AccountCaller | DeviceCaller, proof: Promise<void>) => {
    await proof.catch((error: unknown) => {
      log('sign_in_failed', { method })
      throw error
    })
    return { provedFor: await sessions.prove(session) }
  }
  return {
    proof: async ({ caller }) => ({ methods: await proofs.methods(caller.account), provedFor: await sessions.provedFor(caller.session) }),
    async startPasswordProof({ body, caller }) {
      await limits.spend('proof', caller.account)
      return proofs.startPassword(caller, body.startLoginRequest)
    },
    finishPasswordProof: ({ body, caller }) =>
      proved('password', caller, proofs.finishPassword(caller, { challenge: body.challenge, request: body.finishLoginRequest })),
    async startPasskeyProof({ caller }) {
      await limits.spend('proof', caller.account)
      return proofs.startPasskey(caller)
    },
    finishPasskeyProof: ({ body, caller }) => proved('passkey', caller, proofs.finishPasskey(caller, body)),
  }
}
