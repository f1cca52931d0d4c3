/**
 * WebCrypto without threads: Node hands every call of `crypto.subtle` to its pool, and which of two calls comes back first is
 * not ours to say. Here the same algorithms run on the spot (node:crypto) and their promises are settled when they are made.
 */
import * as node from 'node:crypto'

interface Algorithm {
  readonly name: string
  readonly hash?: string | { readonly name: string }
  readonly iv?: Uint8Array
  readonly additionalData?: Uint8Array
  readonly salt?: Uint8Array
  readonly info?: Uint8Array
}

/** A key as we hand it out. */
class Key {
  readonly type: 'secret' | 'public' | 'private'
  readonly material: node.KeyObject

  constructor(material: node.KeyObject) {
    this.material = material
    this.type = material.type
  }
}

const TAG = 16

/** The methods that the product calls. Others are not there, so whoever asks for them does without. */
export const synchronousSubtle = {
  importKey: async (format: string, bytes: Uint8Array, algorithm: string | Algorithm): Promise<Key> =>
    new Key(imported(format, bytes, nameOf(algorithm))),

  exportKey: async (format: string, { material }: Key): Promise<object> => {
    if (format === 'jwk') return material.export({ format: 'jwk' })
    if (format !== 'raw') throw new DOMException(`no export as ${format}`, 'NotSupportedError')
    return arrayBuffer(Buffer.from(material.export({ format: 'jwk' }).x ?? '', 'base64url'))
  },

  digest: async (algorithm: string | Algorithm, bytes: Uint8Array): Promise<ArrayBuffer> =>
    arrayBuffer(node.createHash(nameOf(algorithm).replace('-', '')).update(bytes).digest()),

  sign: async (_algorithm: unknown, { material }: Key, bytes: Uint8Array): Promise<ArrayBuffer> =>
    arrayBuffer(node.sign(null, bytes, material)),

  verify: async (_algorithm: unknown, { material }: Key, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> =>
    node.verify(null, bytes, material, signature),

  deriveBits: async ({ name, hash, salt, info }: Algorithm, { material }: Key, length: number): Promise<ArrayBuffer> => {
    if (name !== 'HKDF' || !hash || !salt || !info) throw new DOMException(`no derivation by ${name}`, 'NotSupportedError')
    return node.hkdfSync(nameOf(hash).replace('-', ''), material, salt, info, length / 8)
  },

  encrypt: async ({ name, iv, additionalData }: Algorithm, { material }: Key, bytes: Uint8Array): Promise<ArrayBuffer> => {
    const cipher = node.createCipheriv(gcmOf(name, material), material, mustHave(iv))
    if (additionalData) cipher.setAAD(additionalData)
    return arrayBuffer(Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]))
  },

  decrypt: async ({ name, iv, additionalData }: Algorithm, { material }: Key, bytes: Uint8Array): Promise<ArrayBuffer> => {
    const decipher = node.createDecipheriv(gcmOf(name, material), material, mustHave(iv), { authTagLength: TAG })
    if (additionalData) decipher.setAAD(additionalData)
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG))
    return arrayBuffer(Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG)), decipher.final()]))
  },
}

function imported(format: string, bytes: Uint8Array, name: string): node.KeyObject {
  if (format === 'raw' && (name === 'AES-GCM' || name === 'HKDF')) return node.createSecretKey(bytes)
  if (name === 'Ed25519' && format === 'pkcs8') return node.createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  if (name === 'Ed25519' && format === 'raw')
    return node.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(bytes).toString('base64url') }, format: 'jwk' })
  throw new DOMException(`no ${name} key from ${format}`, 'NotSupportedError')
}

function gcmOf(name: string, material: node.KeyObject): node.CipherGCMTypes {
  if (name !== 'AES-GCM') throw new DOMException(`no encryption by ${name}`, 'NotSupportedError')
  return material.symmetricKeySize === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
}

const nameOf = (algorithm: string | { readonly name: string }): string => (typeof algorithm === 'string' ? algorithm : algorithm.name)

const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

function mustHave<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a parameter of the algorithm is missing')
  return value
}
