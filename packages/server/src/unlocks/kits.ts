/**
 * Recovery kits: a kit's secret gives an id and a signing key. The server keeps the id and the public half, asks for a signature,
 * and remembers the ids of kits that were replaced.
 */
import { fromBase64Url, isSignedByKit, Refusal, toBase64Url, type AccountId, type ChallengeId, type UnlockId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Challenges } from '../credentials/challenges.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './unlocks.store.ts'

export interface KitsDeps {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly challenges: Challenges
}

export class Kits {
  readonly #deps: KitsDeps

  constructor(deps: KitsDeps) {
    this.#deps = deps
  }

  /** Refuses `not_found` for a kit that never was, `kit_replaced` for one that is no more. Ids are 128 bits: they cannot be guessed. */
  async start(kit: UnlockId): Promise<{ challenge: ChallengeId; nonce: Uint8Array }> {
    const { database, random, challenges } = this.#deps
    const row = await store.findKit(database.kysely, kit)
    if (!row) {
      const replaced = await store.findReplacedKit(database.kysely, kit)
      throw replaced ? new Refusal('kit_replaced', { at: replaced.replaced_at }) : new Refusal('not_found')
    }
    const nonce = random.bytes(32)
    const challenge = await challenges.begin({ purpose: 'kit_sign_in', account: row.account, state: toBase64Url(nonce) })
    return { challenge, nonce }
  }

  /** Who it is. Refuses `expired` and `wrong_credentials`. */
  async finish({ challenge, signature }: { challenge: ChallengeId; signature: Uint8Array }): Promise<AccountId> {
    const { account, state } = await this.#deps.challenges.take({ id: challenge, purpose: 'kit_sign_in' })
    const kit = account && (await store.kitOf(this.#deps.database.kysely, account))
    const nonce = fromBase64Url(state)
    const holds = kit && nonce && (await isSignedByKit({ kit: kit.id, key: kit.public_key, nonce, signature }))
    if (!account || !holds) throw new Refusal('wrong_credentials')
    return account
  }

  /** The account's kit from now on. The id of the one before, if there was one. Refuses `already_exists`. */
  async put(tx: Transaction<Tables>, kit: { account: AccountId; id: UnlockId; publicKey: Uint8Array }): Promise<UnlockId | undefined> {
    const { account, id, publicKey } = kit
    if ((await store.findKit(tx, id)) ?? (await store.findReplacedKit(tx, id))) throw new Refusal('already_exists')
    const at = this.#deps.clock.now()
    const before = await store.retireKit(tx, { account, at })
    await store.addKit(tx, { account, id, public_key: publicKey, made_at: at })
    return before
  }

  async remove(tx: Transaction<Tables>, account: AccountId): Promise<void> {
    await store.retireKit(tx, { account, at: this.#deps.clock.now() })
  }
}
