/**
 * The key that a PIN or a passkey gives. A PIN is short, so that guessing it must cost: Argon2id with 64 MiB and three passes
 * (the second recommended option of RFC 9106 section 4, in one lane), about a quarter of a second each.
 */
import { argon2id } from 'hash-wasm'
import { deriveKey, labelled, owned } from '../sealing.ts'
import type { LockSecret } from './app-lock.ts'

/** 32 bytes, for one lock; `salt` has 16 and belongs to it. */
export const lockKeyOf = (secret: LockSecret, salt: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  secret.kind === 'pin' ? stretch(secret.pin, salt) : deriveKey({ secret: secret.prf, salt, info: labelled('tacit app lock v1') })

async function stretch(pin: string, salt: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  // The same PIN, however the keyboard wrote its characters.
  const password = pin.normalize('NFKC')
  const cost = { iterations: 3, memorySize: 64 * 1024, parallelism: 1 }
  return owned(await argon2id({ ...cost, password, salt, hashLength: 32, outputType: 'binary' }))
}
