/**
 * The synchronous half of Node's own cryptography. Under Node, WebCrypto hands every call to another thread and gives a key
 * back in a wrapper of its own, which costs more than most of what MLS does: thousands of operations on some hundred bytes.
 * Reached through `process`, so that no bundler finds an import; absent in browsers and where a probe fails.
 */
import type { Bytes, SignaturePair } from '../port.ts'
import { concat, equal, fromHex, wipe } from './bytes.ts'
import type { AeadInput } from './aead.ts'
import { pad } from './hmac.ts'
import type { Keyed, Primitive } from './hmac.ts'

interface KeyObject {
  export(as: { readonly format: 'raw-public' | 'raw-private' }): Bytes
}
type KeyType = 'ed25519' | 'x25519' | 'ml-kem-768'
type SecretKey =
  | { readonly key: Bytes; readonly format: 'raw-private'; readonly asymmetricKeyType: KeyType }
  | { readonly key: Bytes; readonly format: 'der'; readonly type: 'pkcs8' }

/** Loaded, or as PEM text. */
type PublicKey = KeyObject | string

interface Hashing {
  update(input: Bytes): Hashing
  digest(): Bytes
}

interface Cipher {
  setAAD(aad: Bytes): unknown
  setAuthTag(tag: Bytes): unknown
  update(input: Bytes): Bytes
  final(): Bytes
  getAuthTag(): Bytes
}

/** The part of `node:crypto` that is used. */
export interface NodeCrypto {
  hash(algorithm: string, input: Bytes, as: 'buffer' | { readonly outputEncoding: 'buffer'; readonly outputLength: number }): Bytes
  createHash(algorithm: string): Hashing
  createSecretKey(key: Bytes): object
  createCipheriv(algorithm: string, key: object, nonce: Bytes): Cipher
  createDecipheriv(algorithm: string, key: object, nonce: Bytes, options: { readonly authTagLength: number }): Cipher
  createPublicKey(key: PublicKey): KeyObject
  createPrivateKey(key: SecretKey): KeyObject
  generateKeyPairSync(type: KeyType): { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  diffieHellman(keys: { readonly privateKey: KeyObject; readonly publicKey: PublicKey }): Bytes
  sign(algorithm: undefined, message: Bytes, key: KeyObject): Bytes
  verify(algorithm: undefined, message: Bytes, key: KeyObject, signature: Bytes): boolean
  encapsulate(key: PublicKey): { readonly sharedKey: Bytes; readonly ciphertext: Bytes }
  decapsulate(key: KeyObject, ciphertext: Bytes): Bytes
}

interface Platform {
  readonly Buffer?: { from(bytes: ArrayBufferLike, offset: number, length: number): { toString(as: 'base64'): string } }
  readonly process?: { readonly versions?: { readonly node?: string }; getBuiltinModule?(name: string): NodeCrypto | undefined }
}
const { Buffer, process } = globalThis as Platform
const builtin = process?.versions?.node === undefined ? undefined : process.getBuiltinModule?.('node:crypto')

/** Answers with Node's implementation if a probe, run once at the first use, shows that it is there. */
const detect = <T>(make: (node: NodeCrypto) => T, works: (made: T) => boolean): (() => T | undefined) => {
  let answer: { readonly made: T | undefined } | undefined
  const ask = (): T | undefined => {
    try {
      const made = builtin && make(builtin)
      return made && works(made) ? made : undefined
    } catch {
      return undefined
    }
  }
  return () => (answer ??= { made: ask() }).made
}

/** A Buffer's bytes as the plain array that the rest of this package knows: `slice` of a Buffer is no copy. */
const plain = ({ buffer, byteOffset, length }: Bytes): Bytes => new Uint8Array(buffer, byteOffset, length)

/** From here on copying parts together costs more than hashing them one by one. */
const LONG = 4096

/**
 * A hash of parts. Short ones are put together in a place that is written over each time, since making and collecting an array
 * costs as much as hashing it. That is sound as long as nothing is awaited.
 */
const hashing = ({ hash, createHash }: NodeCrypto, name: string) => {
  const room = new Uint8Array(LONG)
  const starts: Bytes[] = []
  return (...parts: readonly Bytes[]): Bytes => {
    let length = 0
    for (const part of parts) {
      if (length + part.length <= LONG) room.set(part, length)
      length += part.length
    }
    const input = length > LONG ? room : (starts[length] ??= room.subarray(0, length))
    const made = length > LONG ? streamed(createHash(name), parts) : hash(name, input, 'buffer')
    input.fill(0)
    return plain(made)
  }
}

const streamed = (begun: Hashing, parts: readonly Bytes[]): Bytes => parts.reduce((state, part) => state.update(part), begun).digest()

/** Hashes by their names in WebCrypto, and HMAC over them; `block` in bytes. */
export const nodeHash = detect(
  (node) =>
    (name: string, block: number): Primitive => {
      const digest = hashing(node, name.replace('-', ''))
      const [inner, outer] = [new Uint8Array(block), new Uint8Array(block)]
      const keyed = (given: Bytes): Keyed => {
        const key = given.length > block ? digest(given) : given
        pad(inner, key, 0x36)
        pad(outer, key, 0x5c)
        return { mac: (...parts) => digest(outer, digest(inner, ...parts)), end: () => wipe(inner, outer) }
      }
      return { digest, keyed }
    },
  (hash) => hash('SHA-384', 128).digest().length === 48,
)

/** SHA3-256, and SHAKE256 to `length` bytes. */
export const nodeKeccak = detect(
  (node) => ({
    sha3: hashing(node, 'sha3-256'),
    shake256: (input: Bytes, length: number): Bytes =>
      plain(node.hash('shake256', input, { outputEncoding: 'buffer', outputLength: length })),
  }),
  ({ sha3, shake256 }) => sha3().length === 32 && shake256(new Uint8Array(), 96).length === 96,
)

const TAG_LENGTH = 16

/** AES-GCM. A key object costs far less here than raw bytes do. `open` throws when the tag does not fit. */
export const nodeAes = detect(
  (node) => ({
    seal: ({ key, nonce, aad }: AeadInput, plaintext: Bytes): Bytes => {
      const cipher = node.createCipheriv(`aes-${8 * key.length}-gcm`, node.createSecretKey(key), nonce)
      cipher.setAAD(aad)
      const head = cipher.update(plaintext)
      return concat(head, cipher.final(), cipher.getAuthTag())
    },
    open: ({ key, nonce, aad }: AeadInput, ciphertext: Bytes): Bytes => {
      const cipher = node.createDecipheriv(`aes-${8 * key.length}-gcm`, node.createSecretKey(key), nonce, { authTagLength: TAG_LENGTH })
      const end = ciphertext.length - TAG_LENGTH
      cipher.setAAD(aad)
      cipher.setAuthTag(ciphertext.subarray(end))
      const plaintext = cipher.update(ciphertext.subarray(0, end))
      cipher.final()
      return plain(plaintext)
    },
  }),
  ({ seal, open }) => {
    const input = { key: new Uint8Array(32), nonce: new Uint8Array(12), aad: Uint8Array.of(1) }
    return equal(open(input, seal(input, Uint8Array.of(2))), Uint8Array.of(2))
  },
)

/** Key objects by the identity of the bytes they are of: a member's signature key is used again and again. */
const keyCache = (load: (bytes: Bytes) => KeyObject) => {
  const known = new WeakMap<Bytes, KeyObject>()
  return (bytes: Bytes): KeyObject => {
    const cached = known.get(bytes)
    if (cached) return cached
    const key = load(bytes)
    known.set(bytes, key)
    return key
  }
}

/** What stands before the bytes of a public key in its SubjectPublicKeyInfo (RFC 8410, RFC 9935). */
const PREFIXES: Readonly<Record<KeyType, Bytes>> = {
  ed25519: fromHex('302a300506032b6570032100'),
  x25519: fromHex('302a300506032b656e032100'),
  'ml-kem-768': fromHex('308204b2300b0609608648016503040402038204a100'),
}

/** What stands before an ML-KEM-768 seed in its PKCS #8 (RFC 9935, the choice of a seed alone). */
const SEED_PREFIX = fromHex('3054020100300b060960864801650304040204428040')

/**
 * Whatever is handed over as an object is first asked four times whether it is a key, and each no is an exception thrown and
 * caught inside of Node. Without their stack traces a secret key is loaded in half to two thirds of the time.
 */
const untraced = <T>(load: () => T): T => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return load()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/**
 * Public keys go in as PEM text, which is asked nothing. A key of a single use need not become an object that the garbage
 * collector must care for.
 */
const keysOf = (node: NodeCrypto, type: KeyType) => ({
  publicKey: (key: Bytes): string => {
    const { buffer, byteOffset, length } = concat(PREFIXES[type], key)
    const info = Buffer?.from(buffer, byteOffset, length).toString('base64') ?? ''
    return `-----BEGIN PUBLIC KEY-----\n${info}\n-----END PUBLIC KEY-----`
  },
  /** Not as text, which could not be wiped. A seed is loaded twice as fast within its PKCS #8. */
  secretKey: (key: Bytes): KeyObject => {
    const load = (from: SecretKey): KeyObject => untraced(() => node.createPrivateKey(from))
    if (type !== 'ml-kem-768') return load({ key, format: 'raw-private', asymmetricKeyType: type })
    const info = concat(SEED_PREFIX, key)
    const loaded = load({ key: info, format: 'der', type: 'pkcs8' })
    wipe(info)
    return loaded
  },
})

const publicBytes = (key: KeyObject): Bytes => plain(key.export({ format: 'raw-public' }))

export const nodeEd25519 = detect(
  (node) => {
    const keys = keysOf(node, 'ed25519')
    const verifying = keyCache((key) => node.createPublicKey(keys.publicKey(key)))
    const signing = keyCache(keys.secretKey)
    return {
      generate: (): SignaturePair => {
        const { publicKey, privateKey } = node.generateKeyPairSync('ed25519')
        return { publicKey: publicBytes(publicKey), secretKey: plain(privateKey.export({ format: 'raw-private' })) }
      },
      sign: (secretKey: Bytes, message: Bytes): Bytes => plain(node.sign(undefined, message, signing(secretKey))),
      verify: (publicKey: Bytes, message: Bytes, signature: Bytes): boolean =>
        node.verify(undefined, message, verifying(publicKey), signature),
    }
  },
  ({ generate, sign, verify }) => {
    const { publicKey, secretKey } = generate()
    return verify(publicKey, Uint8Array.of(1), sign(secretKey, Uint8Array.of(1)))
  },
)

export const nodeX25519 = detect(
  (node) => {
    const keys = keysOf(node, 'x25519')
    return {
      publicKeyOf: (secretKey: Bytes): Bytes => publicBytes(node.createPublicKey(keys.secretKey(secretKey))),
      agree: (secretKey: Bytes, publicKey: Bytes): Bytes =>
        plain(node.diffieHellman({ privateKey: keys.secretKey(secretKey), publicKey: keys.publicKey(publicKey) })),
      /** Agrees with a pair made for this one time. */
      agreeFresh: (publicKey: Bytes): { publicKey: Bytes; shared: Bytes } => {
        const pair = node.generateKeyPairSync('x25519')
        const shared = node.diffieHellman({ privateKey: pair.privateKey, publicKey: keys.publicKey(publicKey) })
        return { publicKey: publicBytes(pair.publicKey), shared: plain(shared) }
      },
    }
  },
  ({ publicKeyOf, agree, agreeFresh }) => {
    const secretKey = new Uint8Array(32).fill(1)
    const fresh = agreeFresh(publicKeyOf(secretKey))
    return equal(agree(secretKey, fresh.publicKey), fresh.shared)
  },
)

export const nodeMlKem = detect(
  (node) => {
    const keys = keysOf(node, 'ml-kem-768')
    return {
      publicKeyOf: (seed: Bytes): Bytes => publicBytes(node.createPublicKey(keys.secretKey(seed))),
      encapsulate: (publicKey: Bytes): { shared: Bytes; ciphertext: Bytes } => {
        const { sharedKey, ciphertext } = node.encapsulate(keys.publicKey(publicKey))
        return { shared: plain(sharedKey), ciphertext: plain(ciphertext) }
      },
      decapsulate: (seed: Bytes, ciphertext: Bytes): Bytes => plain(node.decapsulate(keys.secretKey(seed), ciphertext)),
    }
  },
  ({ publicKeyOf, encapsulate, decapsulate }) => {
    const seed = new Uint8Array(64).fill(7)
    const { shared, ciphertext } = encapsulate(publicKeyOf(seed))
    return equal(decapsulate(seed, ciphertext), shared)
  },
)
