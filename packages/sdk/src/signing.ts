/** Ed25519 signatures from a stored seed; the key is in memory only for as long as it takes to sign. */
import { concatBytes, fromBase64Url, type Sign } from '@tacit/contract'
import { owned } from './sealing.ts'

export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly sign: Sign
}

/** The PKCS #8 wrapping of an Ed25519 seed (RFC 8410 section 7), up to the seed. */
const PKCS8_HEAD = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20)

/** The key pair of a 32-byte seed (RFC 8032): an account key from the vault, or this device's signature key. */
export async function signingKeyFrom(seed: Uint8Array): Promise<SigningKey> {
  // WebCrypto tells the public key only by exporting the private one.
  const secret = await crypto.subtle.importKey('pkcs8', concatBytes(PKCS8_HEAD, seed), 'Ed25519', true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', secret)
  const publicKey = fromBase64Url(x ?? '')
  if (publicKey?.length !== 32) throw new TypeError('no Ed25519 public key')
  return { publicKey, sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', secret, owned(message))) }
}
