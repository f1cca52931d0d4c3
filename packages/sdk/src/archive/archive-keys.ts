/**
 * The keys of the archive, by number; everything that seals or opens a part of it asks here. They are random and kept in the
 * vault, where a new one is added whenever the vault key is replaced: a device that was removed opens nothing written since.
 */
import { changeVault, fetchVault, type VaultAccess } from '../vault/own-vault.ts'
import { withNewArchiveKey } from '../vault/vault.ts'

export interface ArchiveKey {
  /** From 1. */
  readonly generation: number
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface ArchiveKeys {
  /** The one that seals from now on. */
  newest(): Promise<ArchiveKey>
  /** Undefined for a number that the vault has no key of. */
  of(generation: number): Promise<ArchiveKey | undefined>
}

/** Those of the vault, kept in memory until somebody says that it has changed. */
export class VaultArchiveKeys implements ArchiveKeys {
  readonly #access: () => VaultAccess
  #known: Promise<ReadonlyMap<number, Uint8Array>> | undefined

  constructor(access: () => VaultAccess) {
    this.#access = access
  }

  /** The vault may have others now. */
  changed(): void {
    this.#known = undefined
  }

  async newest(): Promise<ArchiveKey> {
    const keys = await this.#keys()
    const generation = Math.max(...keys.keys())
    const key = keys.get(generation)
    if (!key) throw new TypeError('a vault without archive keys')
    return { generation, key }
  }

  async of(generation: number): Promise<ArchiveKey | undefined> {
    const known = (await this.#keys()).get(generation)
    if (known) return { generation, key: known }
    this.changed()
    const key = (await this.#keys()).get(generation)
    return key && { generation, key }
  }

  #keys(): Promise<ReadonlyMap<number, Uint8Array>> {
    this.#known ??= this.#fetch().catch((error: unknown) => {
      this.#known = undefined
      throw error
    })
    return this.#known
  }

  async #fetch(): Promise<ReadonlyMap<number, Uint8Array>> {
    const keys = await this.#read()
    if (keys.size > 0) return keys
    const access = this.#access()
    await changeVault(access, (vault) => (vault.archiveKeys.size > 0 ? vault : withNewArchiveKey(vault, access.random)))
    return this.#read()
  }

  async #read(): Promise<ReadonlyMap<number, Uint8Array>> {
    const { accountKeySeed, archiveKeys } = await fetchVault(this.#access())
    accountKeySeed.fill(0)
    return archiveKeys
  }
}
