/**
 * What linking computes, without network or store. A commitment by the new device fixes its keys before the old device shows
 * its own; the six digits are made of everything that was said, so a go-between has one guess in a million; what is handed
 * over is encrypted to the new device's key (HPKE, hybrid) and signed with the key that the digits vouch for, because a box alone
 * does not say who sealed it.
 */
import { AccountId, CborError, concatBytes, decodeCbor, encodeCbor, equalBytes, isSignedBy, signedBytes } from '@tacit/contract'
import { openBox, sealBox, type BoxPair } from '@tacit/mls'
import { owned, sha256 } from '../sealing.ts'
import type { SigningKey } from '../signing.ts'
import type { VaultKey } from '../vault/parts.ts'

/** What the new device binds itself to and shows later. */
export interface Revealed {
  /** Of the box that it opens, 1216 bytes. */
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly nonce: Uint8Array
}

/** All that both devices have said, in the clear. */
export interface Exchange extends Revealed {
  readonly commitment: Uint8Array
  /** Ed25519 key of the old device, made for this one time. */
  readonly offer: Uint8Array
  /** Whose account it is. */
  readonly account: AccountId
}

/** What the old device hands over. */
export interface Handover {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly vaultKey: VaultKey
}

const BOX_LABEL = 'tacit link box v1'
const DIGITS = 6
const SIGNATURE = 64

export const commitmentOf = ({ key: publicKey, nonce }: Revealed): Promise<Uint8Array<ArrayBuffer>> =>
  sha256(encodeCbor(['tacit link commitment v1', publicKey, nonce]))

/** Whether the new device shows what it was bound to. */
export const keepsItsWord = async ({
  commitment,
  key: publicKey,
  nonce,
}: Pick<Exchange, keyof Revealed | 'commitment'>): Promise<boolean> => equalBytes(await commitmentOf({ key: publicKey, nonce }), commitment)

/** Six digits, the same on both devices unless somebody stands between them. The bias of the remainder is below 2^-40. */
export async function shortDigits(exchange: Exchange): Promise<string> {
  const hash = await sha256(bytesOf('tacit link digits v1', exchange))
  const number = new DataView(hash.buffer).getBigUint64(0) % 10n ** BigInt(DIGITS)
  return String(number).padStart(DIGITS, '0')
}

/** A signature, and a box for the new device. */
export async function sealHandover(
  exchange: Exchange,
  { handover, by }: { handover: Handover; by: SigningKey },
): Promise<Uint8Array<ArrayBuffer>> {
  const plaintext = encodeCbor([1, handover.account, handover.accountKey, handover.vaultKey.key, handover.vaultKey.generation])
  const box = await sealBox({ publicKey: exchange.key, info: bytesOf(BOX_LABEL, exchange), plaintext })
  return concatBytes(await by.sign(approvalOf(exchange, box)), box)
}

/** Undefined when it is not from the device that the digits were compared with, or not for this one. */
export async function openHandover(exchange: Exchange, given: { sealed: Uint8Array; pair: BoxPair }): Promise<Handover | undefined> {
  const signature = given.sealed.subarray(0, SIGNATURE)
  const box = owned(given.sealed.subarray(SIGNATURE))
  if (!(await isSignedBy({ key: exchange.offer, signature, message: approvalOf(exchange, box) }))) return undefined
  const plaintext = await openBox({ pair: given.pair, info: bytesOf(BOX_LABEL, exchange), sealed: box }).catch(() => undefined)
  const handover = plaintext && readHandover(plaintext)
  return handover?.account === exchange.account ? handover : undefined
}

/** CBOR [1, account id, account key, vault key, its generation]; undefined for anything else. */
function readHandover(bytes: Uint8Array): Handover | undefined {
  try {
    const value = decodeCbor(bytes)
    if (!Array.isArray(value) || value[0] !== 1) return undefined
    const [, account, accountKey, key, generation] = value
    const read = AccountId.safeParse(account)
    if (!read.success || !isKey(accountKey) || !isKey(key) || typeof generation !== 'number') return undefined
    return { account: read.data, accountKey, vaultKey: { key, generation } }
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

const isKey = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === 32

const bytesOf = (label: string, { commitment, key: publicKey, nonce, offer, account }: Exchange): Uint8Array<ArrayBuffer> =>
  encodeCbor([label, commitment, publicKey, nonce, offer, account])

const approvalOf = (exchange: Exchange, box: Uint8Array): Uint8Array<ArrayBuffer> =>
  signedBytes('tacit link approval v1', [bytesOf(BOX_LABEL, exchange), box])
