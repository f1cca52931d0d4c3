/**
 * The front door of credentials: proving who somebody is, by password or passkey. Says nothing on sessions. Each proof has
 * two steps; what ties them is a challenge in the database, good once and for five minutes.
 */
import { ChallengeId, foldHandle, Refusal, type AccountId, type WebAuthnJson } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './credentials.store.ts'
import type { PasswordProtocol } from './opaque.ts'
import type { Passkey, Passkeys } from './passkeys.ts'

/** A credential that was proved and not yet stored. */
export type NewCredential = { readonly kind: 'password'; readonly record: string } | { readonly kind: 'passkey'; readonly passkey: Passkey }

export interface Credentials {
  startPasswordSignUp(claim: { account: AccountId; request: string }): string
  startPasskeySignUp(claim: { account: AccountId; handle: string }): Promise<{ challenge: ChallengeId; options: WebAuthnJson }>
  /** Refuses `malformed`. */
  checkPassword(claim: { account: AccountId; record: string }): NewCredential
  /** Refuses `expired` and `wrong_credentials`. */
  checkPasskey(claim: { account: AccountId; challenge: ChallengeId; response: WebAuthnJson }): Promise<NewCredential>
  /** Stores it with the account, in the sign-up's transaction. Refuses `wrong_credentials` if the passkey is somebody else's. */
  add(tx: Transaction<Tables>, owned: { account: AccountId; credential: NewCredential }): Promise<void>
  startPasswordSignIn(attempt: { handle: string; account: AccountId | undefined; request: string }): Promise<{
    challenge: ChallengeId
    loginResponse: string
  }>
  /** Who it is. Refuses `expired` and `wrong_credentials`. */
  finishPasswordSignIn(attempt: { challenge: ChallengeId; request: string }): Promise<AccountId>
  startPasskeySignIn(): Promise<{ challenge: ChallengeId; options: WebAuthnJson }>
  /** Who it is. Refuses `expired` and `wrong_credentials`. */
  finishPasskeySignIn(attempt: { challenge: ChallengeId; response: WebAuthnJson }): Promise<AccountId>
  /** Drops challenges that nobody came back for. */
  sweep(): Promise<void>
}

export interface CredentialsDeps {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly passwords: PasswordProtocol
  readonly passkeys: Passkeys
}

const CHALLENGE_LIFE_MS = 5 * 60_000
/** Waiting proofs at most; beyond it newcomers wait, because disk space is everybody's. */
const MAX_CHALLENGES = 20_000

export function createCredentials({ database, clock, random, passwords, passkeys }: CredentialsDeps): Credentials {
  const challenges = createChallenges({ database, clock, random })
  return {
    startPasswordSignUp: (claim) => passwords.register(claim),
    async startPasskeySignUp({ account, handle }) {
      const { options, challenge } = await passkeys.registrationOptions({ account, handle })
      return { options, challenge: await challenges.add({ purpose: 'passkey_sign_up', account, state: challenge }) }
    },
    checkPassword({ account, record }) {
      passwords.assertUsable({ account, record })
      return { kind: 'password', record }
    },
    async checkPasskey({ account, challenge, response }) {
      const begun = await challenges.take({ id: challenge, purpose: 'passkey_sign_up' })
      if (begun.account !== account) throw new Refusal('wrong_credentials')
      return { kind: 'passkey', passkey: await passkeys.register({ challenge: begun.state, response }) }
    },
    async add(tx, { account, credential }) {
      if (credential.kind === 'password') return void (await store.addPassword(tx, { account, record: credential.record }))
      const { id, publicKey, counter } = credential.passkey
      if (await store.findPasskey(tx, id)) throw new Refusal('wrong_credentials')
      await store.addPasskey(tx, { id, account, public_key: publicKey, counter })
    },
    async startPasswordSignIn({ handle, account, request }) {
      const record = account && (await store.passwordRecordOf(database.kysely, account))
      const known = account && record !== undefined ? { account, record } : undefined
      const { response, state } = passwords.begin({ handleFolded: foldHandle(handle), known, request })
      const challenge = await challenges.add({ purpose: 'password_sign_in', account: known?.account ?? null, state })
      return { challenge, loginResponse: response }
    },
    async finishPasswordSignIn({ challenge, request }) {
      const { account, state } = await challenges.take({ id: challenge, purpose: 'password_sign_in' })
      if (!passwords.finish({ state, request }) || account === null) throw new Refusal('wrong_credentials')
      return account
    },
    async startPasskeySignIn() {
      const { options, challenge } = await passkeys.signInOptions()
      return { options, challenge: await challenges.add({ purpose: 'passkey_sign_in', account: null, state: challenge }) }
    },
    async finishPasskeySignIn({ challenge, response }) {
      const id = passkeys.idOf(response)
      const { state } = await challenges.take({ id: challenge, purpose: 'passkey_sign_in' })
      const row = await store.findPasskey(database.kysely, id)
      if (!row) throw new Refusal('wrong_credentials')
      const passkey = { id, publicKey: row.public_key, counter: row.counter }
      const counter = await passkeys.verify({ challenge: state, response, passkey })
      await database.write((tx) => store.setPasskeyCounter(tx, { id, counter }))
      return row.account
    },
    sweep: async () => void (await database.write((tx) => store.dropChallengesBefore(tx, clock.now()))),
  }
}

function createChallenges({ database, clock, random }: Pick<CredentialsDeps, 'database' | 'clock' | 'random'>) {
  return {
    async add(challenge: Pick<store.ChallengeRow, 'purpose' | 'account' | 'state'>): Promise<ChallengeId> {
      const id = ChallengeId.parse(random.id())
      await database.write(async (tx) => {
        if ((await store.countChallenges(tx)) >= MAX_CHALLENGES) throw new Refusal('unavailable', { retryAfter: 60 })
        await store.addChallenge(tx, { id, ...challenge, expires_at: clock.now() + CHALLENGE_LIFE_MS })
      })
      return id
    },
    async take(key: Pick<store.ChallengeRow, 'id' | 'purpose'>): Promise<store.ChallengeRow> {
      const row = await database.write((tx) => store.takeChallenge(tx, key))
      if (!row || row.expires_at <= clock.now()) throw new Refusal('expired')
      return row
    },
  }
}
