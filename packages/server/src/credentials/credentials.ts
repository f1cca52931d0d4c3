/**
 * The front door of credentials: proving who somebody is, by password or passkey. Says nothing on sessions. Each proof has
 * two steps, tied by a challenge.
 */
import { AccountId, foldHandle, Refusal, toBase64Url, type ChallengeId, type UnlockId, type WebAuthnJson } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import type { Challenges } from './challenges.ts'
import * as store from './credentials.store.ts'
import type { PasswordProtocol } from './opaque.ts'
import type { Passkey, Passkeys } from './passkeys.ts'

/** A credential that was proved and not yet stored. */
export type NewCredential = { readonly kind: 'password'; readonly record: string } | { readonly kind: 'passkey'; readonly passkey: Passkey }

interface PasskeyProof {
  readonly challenge: ChallengeId
  readonly response: WebAuthnJson
}

export interface CredentialsDeps {
  readonly database: Database
  readonly challenges: Challenges
  readonly passwords: PasswordProtocol
  readonly passkeys: Passkeys
  /** Told of a try that failed on an account that exists; nobody waits for it. */
  readonly failed: (tried: { readonly account: AccountId; readonly method: 'password' | 'passkey' }) => void
}

/** Stands where no account is known. Somebody may have this very id; what is found under it is not used. */
const NOBODY = AccountId.parse(toBase64Url(new Uint8Array(16)))

export class Credentials {
  readonly #deps: CredentialsDeps

  constructor(deps: CredentialsDeps) {
    this.#deps = deps
  }

  /** The OPAQUE registration response. Refuses `malformed`. */
  startPasswordSignUp(claim: { account: AccountId; request: string }): string {
    return this.#deps.passwords.register(claim)
  }

  async startPasskeySignUp(person: { account: AccountId; handle: string }): Promise<{ challenge: ChallengeId; options: WebAuthnJson }> {
    const known = await store.passkeysOf(this.#deps.database.kysely, person.account)
    const { options, challenge } = await this.#deps.passkeys.registrationOptions({ ...person, known })
    return {
      options,
      challenge: await this.#deps.challenges.begin({ purpose: 'passkey_sign_up', account: person.account, state: challenge }),
    }
  }

  /** Refuses `malformed`. */
  checkPassword({ account, record }: { account: AccountId; record: string }): NewCredential {
    this.#deps.passwords.assertUsable({ account, record })
    return { kind: 'password', record }
  }

  /** Refuses `expired` and `wrong_credentials`. */
  async checkPasskey({ account, challenge, response }: PasskeyProof & { account: AccountId }): Promise<NewCredential> {
    const begun = await this.#deps.challenges.take({ id: challenge, purpose: 'passkey_sign_up' })
    if (begun.account !== account) throw new Refusal('wrong_credentials')
    return { kind: 'passkey', passkey: await this.#deps.passkeys.register({ challenge: begun.state, response }) }
  }

  /** Stores it with the account, in the sign-up's transaction. Refuses `wrong_credentials` if the passkey is somebody else's. */
  async add(tx: Transaction<Tables>, added: { account: AccountId; credential: NewCredential; unlock: UnlockId }): Promise<void> {
    const { account, credential, unlock } = added
    if (credential.kind === 'password') return void (await store.addPassword(tx, { account, record: credential.record }))
    const { id, publicKey, counter } = credential.passkey
    if (await store.findPasskey(tx, id)) throw new Refusal('wrong_credentials')
    await store.addPasskey(tx, { id, account, public_key: publicKey, counter, unlock })
  }

  /** As `add`; a password takes the place of the one before. */
  async replace(tx: Transaction<Tables>, added: { account: AccountId; credential: NewCredential; unlock: UnlockId }): Promise<void> {
    if (added.credential.kind === 'password') await store.dropPassword(tx, added.account)
    await this.add(tx, added)
  }

  /** The password, or the passkey that opens the vault by `unlock`. */
  async remove(tx: Transaction<Tables>, gone: { account: AccountId; kind: NewCredential['kind']; unlock: UnlockId }): Promise<void> {
    if (gone.kind === 'password') await store.dropPassword(tx, gone.account)
    else await store.dropPasskey(tx, gone)
  }

  /** Everything by which this account can be signed in to. */
  async removeAll(tx: Transaction<Tables>, account: AccountId): Promise<void> {
    await store.dropPassword(tx, account)
    await store.dropPasskeys(tx, account)
  }

  /** Answers alike whether or not there is such an account. Refuses `malformed`. */
  async startPasswordSignIn(attempt: {
    handle: string
    account: AccountId | undefined
    request: string
  }): Promise<{ challenge: ChallengeId; loginResponse: string }> {
    const { account, handle, request } = attempt
    // Asked for nobody too: one query less would tell by its time that there is no such account (M-28).
    const record = await store.passwordRecordOf(this.#deps.database.kysely, account ?? NOBODY)
    const known = account && record !== undefined ? { account, record } : undefined
    const { response, state } = this.#deps.passwords.begin({ handleFolded: foldHandle(handle), known, request })
    const challenge = await this.#deps.challenges.begin({ purpose: 'password_sign_in', account: known?.account ?? null, state })
    return { challenge, loginResponse: response }
  }

  /** Who it is. Refuses `expired` and `wrong_credentials`. */
  async finishPasswordSignIn({ challenge, request }: { challenge: ChallengeId; request: string }): Promise<AccountId> {
    const { account, state } = await this.#deps.challenges.take({ id: challenge, purpose: 'password_sign_in' })
    if (this.#deps.passwords.finish({ state, request }) && account !== null) return account
    if (account !== null) this.#deps.failed({ account, method: 'password' })
    throw new Refusal('wrong_credentials')
  }

  async startPasskeySignIn(): Promise<{ challenge: ChallengeId; options: WebAuthnJson }> {
    const { options, challenge } = await this.#deps.passkeys.signInOptions()
    return { options, challenge: await this.#deps.challenges.begin({ purpose: 'passkey_sign_in', account: null, state: challenge }) }
  }

  /** Who it is. Refuses `expired` and `wrong_credentials`. */
  async finishPasskeySignIn({ challenge, response }: PasskeyProof): Promise<AccountId> {
    const { database, passkeys, failed } = this.#deps
    const id = passkeys.idOf(response)
    const { state } = await this.#deps.challenges.take({ id: challenge, purpose: 'passkey_sign_in' })
    const row = await store.findPasskey(database.kysely, id)
    if (!row) throw new Refusal('wrong_credentials')
    const passkey = { id, publicKey: row.public_key, counter: row.counter }
    const counter = await passkeys.verify({ challenge: state, response, passkey }).catch((error: unknown) => {
      failed({ account: row.account, method: 'passkey' })
      throw error
    })
    await database.write((tx) => store.setPasskeyCounter(tx, { id, counter }))
    return row.account
  }
}
