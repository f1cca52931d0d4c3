/** Keys and certificates of people and devices, as an SDK would make them. */
import type { webcrypto } from 'node:crypto'
import { AccountId, DeviceId, signDeviceCertificate, type DeviceCertificate } from '@tacit/contract'
import type { LeafIdentity, SignaturePair } from '@tacit/mls'
import { systemRandom } from './random.ts'

export interface Keys {
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
}

export const newDeviceId = (): DeviceId => DeviceId.parse(systemRandom.id())
export const newAccountId = (): AccountId => AccountId.parse(systemRandom.id())

export const IN_A_YEAR = Math.floor(Date.now() / 1000) + 365 * 86_400

/** An account's key. */
export async function newKeys(): Promise<Keys> {
  const { publicKey, privateKey } = await ed25519()
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, new Uint8Array(message))),
  }
}

/** A device's key, with its seed: what MLS signs with. */
export async function newSignaturePair(): Promise<SignaturePair> {
  const { publicKey, privateKey } = await ed25519()
  // PKCS #8 of Ed25519 (RFC 8410) ends with the 32 bytes of the seed.
  const secretKey = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey)).slice(-32)
  return { publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)), secretKey }
}

async function ed25519(): Promise<webcrypto.CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new TypeError('expected a key pair')
  return pair
}

/** Somebody's device. `keys` are the account's. */
export interface Person {
  readonly account: AccountId
  readonly device: DeviceId
  readonly keys: Keys
  readonly certificate: DeviceCertificate
  readonly identity: LeafIdentity
}

/** Somebody with one device; or one more device of somebody. */
export async function newPerson(sibling?: Pick<Person, 'account' | 'keys'>, changes: Partial<DeviceCertificate> = {}): Promise<Person> {
  const { account, keys } = sibling ?? { account: newAccountId(), keys: await newKeys() }
  const signature = await newSignaturePair()
  const device = newDeviceId()
  const own = { account, accountKey: keys.publicKey, device, signatureKey: signature.publicKey, notAfter: IN_A_YEAR }
  const certificate = { ...own, ...changes }
  return { account, device, keys, certificate, identity: { credential: await signDeviceCertificate(certificate, keys.sign), signature } }
}
