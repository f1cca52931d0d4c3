/**
 * The recovery kit: 128 random bits as twelve words (BIP-39's list and checksum) or as a code to scan, on paper. From them come the
 * kit's id, the key it signs in with, and the pair that the vault key is encrypted to. The secret is not kept anywhere.
 */
import { toBase64Url, UnlockId } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import { deriveKey, labelled } from '../sealing.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import type { UnlockSecret } from './unlock.ts'

export interface Kit {
  readonly id: UnlockId
  readonly signIn: SigningKey
  readonly unlock: UnlockSecret & { readonly kind: 'kit' }
}

const SECRET_BYTES = 16
const WORDS = 12
/** Begins what a kit's QR code says. */
const CODE_HEAD = 'tacit-kit 1'

export async function kitFrom(secret: Uint8Array): Promise<Kit> {
  const derive = (purpose: string) => deriveKey({ secret, salt: new Uint8Array(), info: labelled('tacit recovery kit v1', purpose) })
  const [id, seed] = await Promise.all([derive('id'), derive('sign in')])
  return {
    id: UnlockId.parse(toBase64Url(id.slice(0, 16))),
    signIn: await signingKeyFrom(seed),
    unlock: { kind: 'kit', secret },
  }
}

export async function wordsOf(secret: Uint8Array): Promise<readonly string[]> {
  const { entropyToMnemonic, wordlist } = await book()
  return entropyToMnemonic(secret, wordlist).split(' ')
}

/** What the printed code says: where the kit belongs, and its words. */
export const kitCode = (kit: { readonly server: string; readonly handle: string; readonly words: readonly string[] }): string =>
  [CODE_HEAD, kit.server, kit.handle, kit.words.join(' ')].join('\n')

/**
 * The secret of words that somebody typed, or of a code that was scanned. Rejects with `kit_word_unknown`, whose message names the
 * word, with `kit_incomplete`, or with `kit_mistyped` when all words are known and at least one is not the right one.
 */
export async function readKit(typed: string): Promise<Uint8Array> {
  const text = typed.startsWith(CODE_HEAD) ? (typed.split('\n').at(-1) ?? '') : typed
  const words = text
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '')
  const { mnemonicToEntropy, wordlist } = await book()
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (unknown >= 0) throw new MessengerError('kit_word_unknown', `Word ${unknown + 1}, “${words[unknown] ?? ''}”, is not one of a kit.`)
  if (words.length !== WORDS) throw new MessengerError('kit_incomplete', `A kit has ${WORDS} words, these are ${words.length}.`)
  try {
    return new Uint8Array(mnemonicToEntropy(words.join(' '), wordlist))
  } catch {
    throw new MessengerError('kit_mistyped', 'At least one word is not the right one, or two are in the wrong order.')
  }
}

export const newKitSecret = ({ bytes }: { bytes(length: number): Uint8Array }): Uint8Array => bytes(SECRET_BYTES)

/** Twelve kilobytes of words, loaded when somebody needs them. */
async function book() {
  const [{ entropyToMnemonic, mnemonicToEntropy }, { wordlist }] = await Promise.all([
    import('@scure/bip39'),
    import('@scure/bip39/wordlists/english.js'),
  ])
  return { entropyToMnemonic, mnemonicToEntropy, wordlist }
}
