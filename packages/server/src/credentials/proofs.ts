/**
 * Proving again that the person of a session is there, before something that a stolen or unlocked device should not do alone.
 * A proof is tied to the session that began it: another session of the same account cannot finish it.
 */
import { Refusal, type AccountId, type ChallengeId, type ProofMethod, type SessionId, type WebAuthnJson } from '@tacit/contract'
import type { Database } from '../storage/database.ts'
import type { Challenges } from './challenges.ts'
import * as store from './credentials.store.ts'
import type { PasswordProtocol } from './opaque.ts'
import type { Passkeys } from './passkeys.ts'

export interface ProofsDeps {
  readonly database: Database
  readonly challenges: Challenges
  readonly passwords: PasswordProtocol
  readonly passkeys: Passkeys
}

export interface Prover {
  readonly account: AccountId
  readonly session: SessionId
}

type Purpose = 'password_proof' | 'passkey_proof'

export class Proofs {
  readonly #deps: ProofsDeps

  constructor(deps: ProofsDeps) {
    this.#deps = deps
  }

  /** How the account can prove itself. */
  async methods(account: AccountId): Promise<ProofMethod[]> {
    const { kysely } = this.#deps.database
    const password = (await store.passwordRecordOf(kysely, account)) !== undefined
    const passkey = (await store.countPasskeys(kysely, account)) > 0
    return [...(password ? (['password'] as const) : []), ...(passkey ? (['passkey'] as const) : [])]
  }

  /** Refuses `malformed`, and `not_found` for an account without a password. */
  async startPassword(prover: Prover, request: string): Promise<{ challenge: ChallengeId; loginResponse: string }> {
    const { database, passwords } = this.#deps
    const { account } = prover
    const record = await store.passwordRecordOf(database.kysely, account)
    if (record === undefined) throw new Refusal('not_found')
    const { response, state } = passwords.begin({ handleFolded: '', known: { account, record }, request })
    return { challenge: await this.#begin('password_proof', prover, state), loginResponse: response }
  }

  /** Refuses `expired` and `wrong_credentials`. */
  async finishPassword(prover: Prover, { challenge, request }: { challenge: ChallengeId; request: string }): Promise<void> {
    const state = await this.#take('password_proof', prover, challenge)
    if (!this.#deps.passwords.finish({ state, request })) throw new Refusal('wrong_credentials')
  }

  async startPasskey(prover: Prover): Promise<{ challenge: ChallengeId; options: WebAuthnJson }> {
    const { options, challenge } = await this.#deps.passkeys.signInOptions()
    return { options, challenge: await this.#begin('passkey_proof', prover, challenge) }
  }

  /** Refuses `expired`, and `wrong_credentials` also for a passkey of somebody else. */
  async finishPasskey(prover: Prover, given: { challenge: ChallengeId; response: WebAuthnJson }): Promise<void> {
    const { database, passkeys } = this.#deps
    const id = passkeys.idOf(given.response)
    const challenge = await this.#take('passkey_proof', prover, given.challenge)
    const row = await store.findPasskey(database.kysely, id)
    if (row?.account !== prover.account) throw new Refusal('wrong_credentials')
    const passkey = { id, publicKey: row.public_key, counter: row.counter }
    const counter = await passkeys.verify({ challenge, response: given.response, passkey })
    await database.write((tx) => store.setPasskeyCounter(tx, { id, counter }))
  }

  #begin(purpose: Purpose, { account, session }: Prover, state: string): Promise<ChallengeId> {
    return this.#deps.challenges.begin({ purpose, account, state: `${session} ${state}` })
  }

  async #take(purpose: Purpose, { session }: Prover, id: ChallengeId): Promise<string> {
    const { state } = await this.#deps.challenges.take({ id, purpose })
    if (!state.startsWith(`${session} `)) throw new Refusal('expired')
    return state.slice(session.length + 1)
  }
}
