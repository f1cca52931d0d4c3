/**
 * WebCrypto as this package sees it: only the calls it makes, and whether this platform has each algorithm. Declared here
 * because neither the DOM's nor Node's types know the ML-KEM calls, and the package is compiled under both.
 */
import { MlsError } from '../errors.ts'
import type { Bytes } from '../port.ts'

/** An imported key; opaque. */
export interface NativeKey {
  readonly type: string
}
type Name = { readonly name: string; readonly hash?: string }

/** The part of SubtleCrypto that is used. */
export interface Subtle {
  importKey(format: string, bytes: Bytes, algorithm: Name, extractable: boolean, usages: readonly string[]): Promise<NativeKey>
  exportKey(format: string, key: NativeKey): Promise<ArrayBuffer>
  generateKey(algorithm: Name, extractable: boolean, usages: readonly string[]): Promise<{ publicKey: NativeKey; privateKey: NativeKey }>
  digest(algorithm: string, bytes: Bytes): Promise<ArrayBuffer>
  sign(algorithm: Name, key: NativeKey, bytes: Bytes): Promise<ArrayBuffer>
  verify(algorithm: Name, key: NativeKey, signature: Bytes, bytes: Bytes): Promise<boolean>
  deriveBits(algorithm: Name & { readonly public: NativeKey }, key: NativeKey, length: number): Promise<ArrayBuffer>
  encrypt(algorithm: Name & AeadParameters, key: NativeKey, bytes: Bytes): Promise<ArrayBuffer>
  decrypt(algorithm: Name & AeadParameters, key: NativeKey, bytes: Bytes): Promise<ArrayBuffer>
  encapsulateBits?(algorithm: Name, key: NativeKey): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>
  decapsulateBits?(algorithm: Name, key: NativeKey, ciphertext: Bytes): Promise<ArrayBuffer>
  getPublicKey?(key: NativeKey, usages: readonly string[]): Promise<NativeKey>
}
type AeadParameters = { readonly iv: Bytes; readonly additionalData: Bytes; readonly tagLength: number }

interface Platform {
  readonly crypto?: { readonly subtle?: Subtle; getRandomValues(into: Bytes): Bytes }
}
const platform = globalThis as Platform

/** The platform's WebCrypto, absent in insecure browser contexts. */
export const subtle: Subtle | undefined = platform.crypto?.subtle

/** Random bytes from the platform's generator. Throws `unsupported` on a platform without one: there is nothing to fall back to. */
export const randomBytes = (length: number): Bytes => {
  if (!platform.crypto) throw new MlsError('unsupported', 'no source of randomness')
  return platform.crypto.getRandomValues(new Uint8Array(length))
}

/** Wraps a raw private key as PKCS #8 (RFC 8410), the only private format that all platforms import for these curves. */
export const pkcs8 = (oid: 'Ed25519' | 'X25519', secretKey: Bytes): Bytes => {
  const prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, oid === 'Ed25519' ? 0x70 : 0x6e, 4, 0x22, 4, 0x20)
  const der = new Uint8Array(prefix.length + secretKey.length)
  der.set(prefix)
  der.set(secretKey, prefix.length)
  return der
}

/** The raw private key of what `pkcs8` wraps; a public key that follows it (RFC 5958) is left out. */
export const fromPkcs8 = (der: Bytes): Bytes => der.slice(16, 48)

/**
 * Imported keys by the identity of their bytes: a leaf's signature key is verified with again and again. Entries go when
 * the bytes do.
 */
export const keyCache = (load: (native: Subtle, bytes: Bytes) => Promise<NativeKey>) => {
  const known = new WeakMap<Bytes, Promise<NativeKey>>()
  return (native: Subtle, bytes: Bytes): Promise<NativeKey> => {
    const cached = known.get(bytes)
    if (cached) return cached
    const loading = load(native, bytes)
    known.set(bytes, loading)
    return loading
  }
}

/** Runs a probe once and remembers its answer: the native implementation if the platform really has it. */
export const detect = (probe: (native: Subtle) => Promise<boolean>): (() => Promise<Subtle | undefined>) => {
  let answer: Promise<Subtle | undefined> | undefined
  const ask = async (): Promise<Subtle | undefined> => {
    if (!subtle) return undefined
    return (await probe(subtle).catch(() => false)) ? subtle : undefined
  }
  return () => (answer ??= ask())
}
