/** What this device keeps of the vault: its key, and the newest version of each part that it has seen. */
import { decodeCbor, encodeCbor, VaultPart } from '@tacit/contract'
import { blob, integer } from '../local-store/columns.ts'
import type { Reader, StoreDriver, Writer } from '../local-store/driver.ts'
import type { VaultKey } from './parts.ts'

/** More often than so many times the key is not replaced between two backups. */
const FORMER_KEYS = 8

export interface SeenPart {
  readonly part: VaultPart
  readonly version: number
}

/** Where a device keeps it: in its store; or in memory, for what it still has to say when its store is erased. */
export interface VaultMemory {
  /** Undefined when this device has none. */
  key(): Promise<VaultKey | undefined>
  /** A key that another took the place of, if this device still has it. */
  former(generation: number): Promise<VaultKey | undefined>
  /** The newest version that was seen; 0 when none was. */
  seen(part: VaultPart): Promise<number>
  /** Together, or not at all. A version never goes back. */
  keep(what: { readonly key?: VaultKey; readonly seen?: readonly SeenPart[] }): Promise<void>
}

export const vaultIn = (store: StoreDriver): VaultMemory => ({
  key: () => loadVaultKey(store),
  former: (generation) => formerVaultKey(store, generation),
  seen: (part) => seenVersion(store, part),
  keep: ({ key, seen = [] }) =>
    store.transaction(async (writer) => {
      if (key) await saveVaultKey(writer, key)
      for (const { part, version } of seen) await saveSeen(writer, part, version)
    }),
})

/** What is in the store now, for later. */
export async function remembered(store: StoreDriver): Promise<VaultMemory> {
  let key = await loadVaultKey(store)
  const versions = new Map<VaultPart, number>()
  for (const part of VaultPart.options) versions.set(part, await seenVersion(store, part))
  return {
    key: async () => key,
    former: async () => undefined,
    seen: async (part) => versions.get(part) ?? 0,
    async keep(what) {
      key = what.key ?? key
      for (const { part, version } of what.seen ?? []) versions.set(part, Math.max(version, versions.get(part) ?? 0))
    },
  }
}

async function loadVaultKey(reader: Reader): Promise<VaultKey | undefined> {
  const row = await reader.get("select value from setting where name = 'vault_key'")
  const value = row && decodeCbor(blob(row, 'value'))
  if (!Array.isArray(value)) return undefined
  const [key, generation] = value
  return key instanceof Uint8Array && typeof generation === 'number' ? { key, generation } : undefined
}

/** The key before is kept as well: a server that is restored from a backup may have the vault that it opens. */
export async function saveVaultKey(writer: Writer, { key, generation }: VaultKey): Promise<void> {
  const sql = "insert into setting (name, value) values ('vault_key', ?) on conflict (name) do update set value = excluded.value"
  const before = await loadVaultKey(writer)
  if (before && before.generation !== generation)
    await writer.run('insert or replace into former_vault_key (generation, key) values (?, ?)', [before.generation, before.key])
  await writer.run('delete from former_vault_key where generation <= ?', [generation - FORMER_KEYS])
  await writer.run(sql, [encodeCbor([key, generation])])
}

async function formerVaultKey(reader: Reader, generation: number): Promise<VaultKey | undefined> {
  const row = await reader.get('select key from former_vault_key where generation = ?', [generation])
  return row && { key: blob(row, 'key'), generation }
}

async function seenVersion(reader: Reader, part: VaultPart): Promise<number> {
  const row = await reader.get('select version from vault_part where part = ?', [part])
  return row ? integer(row, 'version') : 0
}

export const saveSeen = (writer: Writer, part: VaultPart, version: number): Promise<void> =>
  writer.run(
    'insert into vault_part (part, version) values (?, ?) on conflict (part) do update set version = max(version, excluded.version)',
    [part, version],
  )

/** Somebody proved anew who they are: what the server has counts from here. */
export const forgetSeen = (writer: Writer): Promise<void> => writer.run('delete from vault_part')

/** The server has lost what it had of a part. */
export const forgetSeenPart = (writer: Writer, part: VaultPart): Promise<void> =>
  writer.run('delete from vault_part where part = ?', [part])

/** Whether the others know this device's public key, to encrypt the next vault key to it. */
export async function isKnownToVault(reader: Reader): Promise<boolean> {
  return (await reader.get("select 1 as found from setting where name = 'vault_knows_me'")) !== undefined
}

/** The vault may not have it any more. */
export const forgetKnownToVault = (writer: Writer): Promise<void> => writer.run("delete from setting where name = 'vault_knows_me'")

export const markKnownToVault = (writer: Writer): Promise<void> =>
  writer.run("insert into setting (name, value) values ('vault_knows_me', ?) on conflict (name) do nothing", [new Uint8Array()])
