/** What a signature scheme is (RFC 9420 section 5.1.2), and Ed25519: from the platform where it has it, else from noble. */
import type { Bytes, SignaturePair } from '../port.ts'
import { MlsError } from '../errors.ts'
import { nodeEd25519 } from '#node'
import { isSoundEd25519Key } from './small-order.ts'
import { detect, fromPkcs8, keyCache, pkcs8, randomBytes } from './webcrypto.ts'
import type { Subtle } from './webcrypto.ts'

export interface SignatureScheme {
  /** Throws `invalid` for keys that no honest generator makes. */
  check(publicKey: Bytes): void
  generate(): Promise<SignaturePair>
  sign(secretKey: Bytes, message: Bytes): Promise<Bytes>
  /** False for any signature that is not good, whatever is wrong with it. */
  verify(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean>
}

const ALGORITHM = { name: 'Ed25519' }
const verifyingKey = keyCache((native, bytes) => native.importKey('raw', bytes, ALGORITHM, false, ['verify']))
const signingKey = keyCache((native, bytes) => native.importKey('pkcs8', pkcs8('Ed25519', bytes), ALGORITHM, false, ['sign']))

const nativeEd25519 = detect(async (native) => {
  const key = await native.importKey('pkcs8', pkcs8('Ed25519', new Uint8Array(32).fill(1)), ALGORITHM, false, ['sign'])
  return (await native.sign(ALGORITHM, key, new Uint8Array())).byteLength === 64
})

/** Loaded where it is needed alone: most platforms have the native one. */
const inJavaScript = async () => (await import('@noble/curves/ed25519.js')).ed25519

const generateNatively = async (native: Subtle): Promise<SignaturePair> => {
  const pair = await native.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const [publicKey, wrapped] = await Promise.all([native.exportKey('raw', pair.publicKey), native.exportKey('pkcs8', pair.privateKey)])
  return { publicKey: new Uint8Array(publicKey), secretKey: fromPkcs8(new Uint8Array(wrapped)) }
}

export const ED25519: SignatureScheme = {
  check: (key) => {
    if (key.length !== 32 || !isSoundEd25519Key(key)) throw new MlsError('invalid', 'signature key is not 32 bytes of large order')
  },
  generate: async () => {
    const node = nodeEd25519()
    if (node) return node.generate()
    const native = await nativeEd25519()
    if (native) return generateNatively(native)
    const secretKey = randomBytes(32)
    return { secretKey, publicKey: (await inJavaScript()).getPublicKey(secretKey) }
  },
  sign: async (secretKey, message) => {
    const node = nodeEd25519()
    if (node) return node.sign(secretKey, message)
    const native = await nativeEd25519()
    if (!native) return (await inJavaScript()).sign(message, secretKey)
    return new Uint8Array(await native.sign(ALGORITHM, await signingKey(native, secretKey), message))
  },
  verify: async (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64 || !isSoundEd25519Key(publicKey)) return false
    try {
      const node = nodeEd25519()
      if (node) return node.verify(publicKey, message, signature)
      const native = await nativeEd25519()
      if (!native) return (await inJavaScript()).verify(signature, message, publicKey, { zip215: false })
      return await native.verify(ALGORITHM, await verifyingKey(native, publicKey), signature, message)
    } catch {
      return false
    }
  },
}
