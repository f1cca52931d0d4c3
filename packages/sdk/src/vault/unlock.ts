/**
 * Ways to open the vault. Each has a key pair that is derived from what only it gives to a device (the OPAQUE export key, the
 * passkey's PRF output, the kit's secret, the device's own key), and the vault key is encrypted to the public half. So any own
 * device can replace the vault key without having those secrets. The public halves are kept inside the vault: the server does
 * not know them, so it cannot slip in a vault of its own.
 */
import type { AccountId, UnlockId, VaultUnlock } from '@tacit/contract'
import { boxPairFrom, MlsError, openBox, sealBox, type BoxPair } from '@tacit/mls'
import { deriveKey, labelled, owned, sha256 } from '../sealing.ts'
import type { VaultKey } from './parts.ts'

/** A secret that unlocks, and the way that gives it. */
export interface UnlockSecret {
  readonly kind: VaultUnlock['kind']
  /** At least 16 bytes of entropy. */
  readonly secret: Uint8Array
}

/** Somebody or something that can open the vault. */
export interface UnlockHolder {
  readonly id: UnlockId
  readonly kind: VaultUnlock['kind']
  readonly publicKey: Uint8Array
}

/** The input of the passkey's PRF extension, the same for everybody: SHA-256 of a constant. */
export const passkeySalt = (): Promise<Uint8Array<ArrayBuffer>> => sha256(new TextEncoder().encode('tacit vault v1'))

/** The pair of a way to open the vault of this account. */
export async function unlockPair({ kind, secret }: UnlockSecret, account: AccountId): Promise<BoxPair> {
  const info = labelled('tacit vault unlock v2', kind, account)
  return boxPairFrom(await deriveKey({ secret, salt: await passkeySalt(), info }))
}

/** Encrypts the vault key to one of those who can open the vault. */
export async function wrapVaultKey(vaultKey: VaultKey, holder: UnlockHolder, account: AccountId): Promise<VaultUnlock> {
  const { id, kind, publicKey } = holder
  const info = infoOf({ account, id, kind, generation: vaultKey.generation })
  return { id, kind, wrappedKey: owned(await sealBox({ publicKey, info, plaintext: vaultKey.key })) }
}

/** The vault key, by the first of the wrapped keys that this secret opens, and which one that was. */
export async function unwrapVaultKey(request: {
  readonly unlocks: readonly VaultUnlock[]
  readonly generation: number
  readonly unlock: UnlockSecret
  readonly account: AccountId
}): Promise<{ readonly vaultKey: VaultKey; readonly id: UnlockId } | undefined> {
  const { unlocks, generation, unlock, account } = request
  const pair = await unlockPair(unlock, account)
  for (const { id, kind, wrappedKey } of unlocks) {
    if (kind !== unlock.kind) continue
    const key = await opened({ pair, info: infoOf({ account, id, kind, generation }), sealed: wrappedKey })
    if (key?.length === 32) return { vaultKey: { key, generation }, id }
  }
  return undefined
}

const infoOf = (what: { account: AccountId; id: UnlockId; kind: string; generation: number }) =>
  labelled('tacit vault key v2', what.account, what.id, what.kind, what.generation)

async function opened(box: Parameters<typeof openBox>[0]): Promise<Uint8Array | undefined> {
  try {
    return await openBox(box)
  } catch (error) {
    if (error instanceof MlsError) return undefined
    throw error
  }
}
