/** The vault: keeps the sealed parts of each account's private state and the wrapped keys to them. It can open neither. */
import { Refusal, VaultPart, type AccountId, type RouteInput, type Routes, type UnlockId, type VaultUnlock } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Notice } from '../bus/bus.ts'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './vault.store.ts'

type Say = (notice: Notice) => void

/** The first vault of a new account, in the sign-up's transaction: keys are in it, the other parts are empty. */
export async function createVault(
  tx: Transaction<Tables>,
  { account, bytes, unlock }: { account: AccountId; bytes: Uint8Array; unlock: VaultUnlock },
): Promise<void> {
  await store.addVault(tx, { account, generation: 1 })
  const rows = VaultPart.options.map((part) =>
    part === 'keys' ? { account, part, version: 1, bytes } : { account, part, version: 0, bytes: new Uint8Array() },
  )
  await store.addParts(tx, rows)
  await store.addUnlocks(tx, [unlockRow(account, unlock)])
}

/** One more way to open the vault, in the caller's transaction. */
export const addUnlock = (tx: Transaction<Tables>, account: AccountId, unlock: VaultUnlock) =>
  store.addUnlocks(tx, [unlockRow(account, unlock)])

export const removeUnlock = (tx: Transaction<Tables>, one: { account: AccountId; id: UnlockId }) => store.dropUnlock(tx, one)

export const unlockKind = async (tx: Transaction<Tables>, { account, id }: { account: AccountId; id: UnlockId }) =>
  (await store.unlocksOf(tx, account)).find((row) => row.id === id)?.kind

export const unlockOfKind = async (tx: Transaction<Tables>, { account, kind }: { account: AccountId; kind: VaultUnlock['kind'] }) =>
  (await store.unlocksOf(tx, account)).find((row) => row.kind === kind)?.id

/** Ways to sign in; devices are none. */
export const countMethods = async (tx: Transaction<Tables>, account: AccountId): Promise<number> =>
  (await store.unlocksOf(tx, account)).filter(isMethod).length

/** Nothing is left of it; for an account that begins anew. */
export const forgetVault = (tx: Transaction<Tables>, account: AccountId) => store.dropVault(tx, account)

export interface PartChange {
  readonly account: AccountId
  readonly part: VaultPart
  readonly generation: number
  readonly version: number
  readonly bytes: Uint8Array
}

/** In the caller's transaction. Refuses `version_conflict` when somebody was faster. */
export async function replacePart(tx: Transaction<Tables>, change: PartChange, say: Say): Promise<void> {
  const { account, part, generation, version } = change
  const vault = await store.lockVault(tx, account)
  const current = await store.findPart(tx, { account, part })
  if (!vault || !current) throw new Refusal('not_found')
  if (vault.generation !== generation || current.version !== version - 1)
    throw new Refusal('version_conflict', { version: current.version })
  await store.setPart(tx, change)
  say({ kind: 'vault_changed', account, part, version, generation })
}

export function vaultHandlers({
  database,
  bells,
  limits,
}: {
  database: Database
  bells: Bells
  limits: Limits
}): RoomHandlers<Routes['vault']> {
  return {
    async fetch({ caller }) {
      const vault = await store.findVault(database.kysely, caller.account)
      if (!vault) throw new Refusal('not_found')
      const [parts, unlocks] = await Promise.all([
        store.partsOf(database.kysely, caller.account),
        store.unlocksOf(database.kysely, caller.account),
      ])
      return {
        generation: vault.generation,
        parts: parts.map(({ part, version, bytes }) => ({ part, version, bytes })),
        unlocks: unlocks.map(({ id, kind, wrapped_key }) => ({ id, kind, wrappedKey: wrapped_key })),
      }
    },
    async heads({ caller }) {
      const vault = await store.findVault(database.kysely, caller.account)
      if (!vault) throw new Refusal('not_found')
      return { generation: vault.generation, parts: await store.headsOf(database.kysely, caller.account) }
    },
    async part({ params, caller }) {
      const { account } = caller
      const [vault, found] = await Promise.all([
        store.findVault(database.kysely, account),
        store.findPart(database.kysely, { account, part: params.part }),
      ])
      if (!vault || !found) throw new Refusal('not_found')
      return { generation: vault.generation, version: found.version, bytes: found.bytes }
    },
    async replace({ params, body, caller }) {
      await limits.spend('vault', caller.account)
      await bells.write((tx, say) => replacePart(tx, { ...body, account: caller.account, part: params.part }, say))
      return { version: body.version }
    },
    async rotate({ body, caller }) {
      await limits.spend('vault', caller.account)
      await bells.write((tx, say) => rotate(tx, { ...body, account: caller.account }, say))
      return { generation: body.generation }
    },
  }
}

type Rotation = RouteInput<Routes['vault']['rotate']>['body'] & { readonly account: AccountId }

/** All parts and all wrapped keys at once: a vault that is half under a key that is gone cannot be. */
async function rotate(tx: Transaction<Tables>, { account, generation, parts, unlocks }: Rotation, say: Say): Promise<void> {
  const vault = await store.lockVault(tx, account)
  if (!vault) throw new Refusal('not_found')
  const current = (await store.headsOf(tx, account)).filter(({ version }) => version > 0)
  const continues = ({ part, version }: { part: VaultPart; version: number }) =>
    current.some((one) => one.part === part && one.version === version - 1)
  const isWhole = parts.length === current.length && new Set(parts.map(({ part }) => part)).size === parts.length
  if (generation !== vault.generation + 1 || !isWhole || !parts.every(continues)) throw new Refusal('version_conflict')
  const known = (await store.unlocksOf(tx, account)).filter(isMethod).map(({ id }) => id)
  const given = unlocks.filter(isMethod).map(({ id }) => id)
  // A way to sign in that was added meanwhile must not lose its key, and one that was removed must not get one.
  if (known.toSorted().join() !== given.toSorted().join()) throw new Refusal('version_conflict')
  await store.dropUnlocks(tx, account)
  await store.addUnlocks(
    tx,
    unlocks.map((unlock) => unlockRow(account, unlock)),
  )
  await store.setGeneration(tx, { account, generation })
  for (const { part, version, bytes } of parts) {
    await store.setPart(tx, { account, part, version, bytes })
    say({ kind: 'vault_changed', account, part, version, generation })
  }
}

const isMethod = ({ kind }: { kind: VaultUnlock['kind'] }): boolean => kind !== 'device'

const unlockRow = (account: AccountId, { id, kind, wrappedKey }: VaultUnlock): store.UnlockRow => ({
  account,
  id,
  kind,
  wrapped_key: wrappedKey,
})
