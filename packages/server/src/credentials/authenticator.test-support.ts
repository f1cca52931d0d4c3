/** An authenticator in software: makes passkeys and signs with them as WebAuthn Level 3 section 6 says, honestly or not. */
import { createHash } from 'node:crypto'
import { concatBytes, fromBase64Url, toBase64Url } from '@tacit/contract'
import { newKeys, type Keys } from '../identity.test-support.ts'
import { systemRandom } from '../random.ts'

/** What a test may bend. */
export interface Bending {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly userVerified?: boolean
  readonly counter?: number
}

const text = (value: string) => new TextEncoder().encode(value)
const sha256 = (value: Uint8Array) => new Uint8Array(createHash('sha256').update(value).digest())
const uint32 = (value: number) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value])

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const ATTESTED = 0x40

export class Authenticator {
  readonly id = systemRandom.bytes(16)
  readonly #keys: Keys
  readonly #origin: string
  #counter = 0

  private constructor(keys: Keys, origin: string) {
    this.#keys = keys
    this.#origin = origin
  }

  static async at(origin: string): Promise<Authenticator> {
    return new Authenticator(await newKeys(), origin)
  }

  /** The answer to registration options. */
  create(challenge: string, bending: Bending = {}) {
    const idLength = new Uint8Array([0, this.id.length])
    const credential = concatBytes(new Uint8Array(16), idLength, this.id, coseKey(this.#keys.publicKey))
    const authenticatorData = concatBytes(this.#head(ATTESTED, bending), credential)
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', challenge, bending),
        attestationObject: toBase64Url(attestation(authenticatorData)),
      },
      clientExtensionResults: {},
    }
  }

  /** The answer to sign-in options. */
  async get(challenge: string, bending: Bending = {}) {
    this.#counter += 1
    const clientDataJSON = this.#clientData('webauthn.get', challenge, bending)
    const authenticatorData = this.#head(0, { counter: this.#counter, ...bending })
    const hash = sha256(fromBase64Url(clientDataJSON) ?? new Uint8Array())
    const signature = toBase64Url(await this.#keys.sign(concatBytes(authenticatorData, hash)))
    return {
      ...this.#credential(),
      response: { clientDataJSON, authenticatorData: toBase64Url(authenticatorData), signature },
      clientExtensionResults: {},
    }
  }

  #credential() {
    return { id: toBase64Url(this.id), rawId: toBase64Url(this.id), type: 'public-key' }
  }

  #clientData(type: string, challenge: string, bending: Bending): string {
    const data = { type, challenge: bending.challenge ?? challenge, origin: bending.origin ?? this.#origin, crossOrigin: false }
    return toBase64Url(text(JSON.stringify(data)))
  }

  #head(flags: number, { rpId = 'localhost', userVerified = true, counter = 0 }: Bending): Uint8Array {
    const all = flags | USER_PRESENT | (userVerified ? USER_VERIFIED : 0)
    return concatBytes(sha256(text(rpId)), new Uint8Array([all]), uint32(counter))
  }
}

/** CBOR {1: 1 (OKP), 3: -8 (EdDSA), -1: 6 (Ed25519), -2: key} (RFC 9053 section 7.2). */
const coseKey = (publicKey: Uint8Array) => concatBytes(new Uint8Array([0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32]), publicKey)

/** CBOR {"fmt": "none", "attStmt": {}, "authData": bytes}. */
function attestation(authenticatorData: Uint8Array): Uint8Array {
  const key = (name: string) => concatBytes(new Uint8Array([0x60 + name.length]), text(name))
  return concatBytes(
    new Uint8Array([0xa3]),
    key('fmt'),
    key('none'),
    key('attStmt'),
    new Uint8Array([0xa0]),
    key('authData'),
    new Uint8Array([0x58, authenticatorData.length]),
    authenticatorData,
  )
}
