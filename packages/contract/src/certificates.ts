/**
 * Device certificates, read once each: a leaf is met in every commit and every message, and each reading checks a
 * signature. Only readings that hold are remembered.
 */
import { toBase64Url } from './bytes.ts'
import { readDeviceCertificate, type DeviceCertificate } from './device-list.ts'

/** A conversation of a thousand leaves fits twice. */
const MOST = 2048

export class Certificates {
  readonly #most: number
  readonly #read = new Map<string, DeviceCertificate>()

  /** `most`: readings to remember. */
  constructor({ most = MOST }: { readonly most?: number } = {}) {
    this.#most = most
  }

  /** The certificate in a credential, its signature by the account key it names checked; else undefined. */
  async read(credential: Uint8Array): Promise<DeviceCertificate | undefined> {
    const name = toBase64Url(credential)
    const known = this.#read.get(name)
    if (known) return known
    const certificate = await readDeviceCertificate(credential)
    if (!certificate) return undefined
    const oldest = this.#read.size >= this.#most ? this.#read.keys().next().value : undefined
    if (oldest !== undefined) this.#read.delete(oldest)
    this.#read.set(name, certificate)
    return certificate
  }
}
