/** Adding and removing ways to sign in: the credential, the wrapped vault key and the vault's part `keys` change together, or not at all. */
import { limits as sizes, Refusal, type AccountId, type RouteInput, type Routes, type UnlockId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Credentials, NewCredential } from '../credentials/credentials.ts'
import type { DeviceCaller, RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Tables } from '../storage/tables.ts'
import { addUnlock, countMethods, removeUnlock, replacePart, unlockKind, unlockOfKind } from '../vault/vault.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Proofs } from '../credentials/proofs.ts'
import type { Kits } from './kits.ts'

export interface UnlocksDeps {
  readonly bells: Bells
  readonly limits: Limits
  readonly credentials: Credentials
  readonly kits: Kits
  readonly proofs: Pick<Proofs, 'methods'>
  readonly sessions: Pick<Sessions, 'mustBeProved'>
  readonly events: Pick<SecurityEvents, 'note'>
  readonly handleOf: (account: AccountId) => Promise<string | undefined>
}

type Put = RouteInput<Routes['unlocks']['put']>['body']

/** A way to sign in that was proved and not yet stored. */
type Proved = NewCredential | { readonly kind: 'kit'; readonly publicKey: Uint8Array }

export function unlockHandlers({
  bells,
  limits,
  credentials,
  kits,
  proofs,
  sessions,
  events,
  handleOf,
}: UnlocksDeps): RoomHandlers<Routes['unlocks']> {
  const prove = (account: AccountId, method: Put['method']): Promise<Proved> | Proved => {
    if (method.kind === 'password') return credentials.checkPassword({ account, record: method.registrationRecord })
    if (method.kind === 'passkey') return credentials.checkPasskey({ account, ...method })
    return { kind: 'kit', publicKey: method.signInKey }
  }
  /** The id of the wrapped key that ends with it. */
  const store = async (tx: Transaction<Tables>, added: { account: AccountId; proved: Proved; unlock: UnlockId }) => {
    const { account, proved, unlock } = added
    if (proved.kind === 'kit') return kits.put(tx, { account, id: unlock, publicKey: proved.publicKey })
    const before = proved.kind === 'password' ? await unlockOfKind(tx, { account, kind: 'password' }) : undefined
    await credentials.replace(tx, { account, credential: proved, unlock })
    return before
  }
  /** Refuses `proof_needed`: a device that somebody left open must not become theirs. Who has nothing to prove themselves with is let. */
  const proofOf = async ({ account, session }: DeviceCaller) => {
    const canProve = (await proofs.methods(account)).length > 0
    return async (tx: Transaction<Tables>) => (canProve ? sessions.mustBeProved(tx, session) : undefined)
  }
  return {
    async startPassword({ body, caller }) {
      await limits.spend('vault', caller.account)
      return { registrationResponse: credentials.startPasswordSignUp({ account: caller.account, request: body.registrationRequest }) }
    },
    async startPasskey({ caller }) {
      await limits.spend('vault', caller.account)
      const handle = await handleOf(caller.account)
      if (handle === undefined) throw new Refusal('not_found')
      return credentials.startPasskeySignUp({ account: caller.account, handle })
    },
    async put({ body, caller }) {
      const { account } = caller
      const { method, unlock, keys } = body
      await limits.spend('vault', account)
      if (unlock.kind !== method.kind) throw new Refusal('malformed', { field: 'unlock.kind' })
      const proved = await prove(account, method)
      const mustBeProved = await proofOf(caller)
      await bells.write(async (tx, say) => {
        await mustBeProved(tx)
        await replacePart(tx, { ...keys, account, part: 'keys' }, say)
        const ended = await store(tx, { account, proved, unlock: unlock.id })
        if (ended) await removeUnlock(tx, { account, id: ended })
        if ((await countMethods(tx, account)) >= sizes.unlocksPerAccount) throw new Refusal('too_many')
        await addUnlock(tx, account, unlock)
        await events.note(tx, { account, kind: 'unlock_added', method: method.kind })
      })
      return { unlock: unlock.id }
    },
    async remove({ params, body, caller }) {
      const { account } = caller
      const { unlock: id } = params
      await limits.spend('vault', account)
      const mustBeProved = await proofOf(caller)
      await bells.write(async (tx, say) => {
        await mustBeProved(tx)
        const kind = await unlockKind(tx, { account, id })
        if (!kind || kind === 'device') throw new Refusal('not_found')
        if ((await countMethods(tx, account)) === 1) throw new Refusal('not_allowed')
        await replacePart(tx, { ...body.keys, account, part: 'keys' }, say)
        if (kind === 'kit') await kits.remove(tx, account)
        else await credentials.remove(tx, { account, kind, unlock: id })
        await removeUnlock(tx, { account, id })
        await events.note(tx, { account, kind: 'unlock_removed', method: kind })
      })
      return null
    },
  }
}
