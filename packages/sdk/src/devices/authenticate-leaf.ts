/**
 * The one judgement on leaves. Every path that accepts one asks here: key package, Welcome tree, add, update, external join.
 *
 * A certificate must hold under the account key that is pinned, be in time, and belong to the leaf's signature key. Whether
 * the device must also be on its owner's newest list depends on the path:
 *
 * - `invited`, `live`: yes. Nobody brings in a device that its owner has withdrawn.
 * - `past` (the log while catching up) and `tree` (who is there already): no. A device that was admitted and has been
 *   withdrawn since is an honest part of the past, and its leaf stays until somebody commits its removal. Refusing it would
 *   cost every message since, and the next joiner the conversation.
 */
import { type Certificates, type DeviceCertificate, equalBytes } from '@tacit/contract'
import type { AuthenticateLeaf, Group } from '@tacit/mls'
import { MessengerError } from '../api.ts'
import type { Clock } from '../surroundings.ts'
import { Unreachable } from '../trouble.ts'
import type { KnownPerson, People } from './people.ts'

export type LeafPath = 'invited' | 'live' | 'past' | 'tree'

export interface LeafAuthority {
  readonly certificates: Certificates
  readonly people: Pick<People, 'known' | 'refresh' | 'pinByCertificate' | 'conflict' | 'hadKey'>
  readonly clock: Pick<Clock, 'now'>
}

/** Clocks differ by this much, in seconds. */
const TOLERANCE = 300

/** An authenticator for one call of the engine. */
export class LeafCheck {
  readonly #authority: LeafAuthority
  readonly #path: LeafPath
  readonly #members: Group['members']
  #weather: Unreachable | undefined

  /** `members`: who is in the group already; their leaves are judged as `tree`. */
  constructor(authority: LeafAuthority, { path, members = [] }: { readonly path: LeafPath; readonly members?: Group['members'] }) {
    this.#authority = authority
    this.#path = path
    this.#members = members
  }

  readonly authenticate: AuthenticateLeaf = (leaf) =>
    this.guard(() => {
      const isMember = this.#members.some((member) => equalBytes(member.credential, leaf.credential))
      return authenticateLeaf(this.#authority, { ...leaf, path: isMember ? 'tree' : this.#path })
    })

  /** A judgement that may need the server; false when it said nothing, which `mustHaveJudged` then tells. */
  async guard(judge: () => Promise<boolean>): Promise<boolean> {
    try {
      return await judge()
    } catch (error) {
      // A list that does not fit the pinned key is a judgement; anything else means that none was possible.
      if (!(error instanceof MessengerError))
        this.#weather = error instanceof Unreachable ? error : new Unreachable('no list', { cause: error })
      return false
    }
  }

  /** Throws when no judgement was possible: then what the engine said is about the weather, not about the bytes. */
  mustHaveJudged(): void {
    if (this.#weather) throw this.#weather
  }
}

/** Rejects with `Unreachable` when the server had to be asked and gave no answer. */
export async function authenticateLeaf(
  { certificates, people, clock }: LeafAuthority,
  leaf: { readonly credential: Uint8Array; readonly signatureKey: Uint8Array; readonly path: LeafPath },
): Promise<boolean> {
  const certificate = await certificates.read(leaf.credential)
  if (!certificate || !equalBytes(certificate.signatureKey, leaf.signatureKey)) return false
  if (leaf.path !== 'past' && certificate.notAfter + TOLERANCE < clock.now() / 1000) return false
  const known = await people.known(certificate.account)
  const pinned = known ?? (await people.refresh(certificate.account)) ?? (await people.pinByCertificate(certificate))
  const isPast = leaf.path === 'tree' || leaf.path === 'past'
  if (isPast && (await people.hadKey(certificate.account, certificate.accountKey))) return true
  // Somebody may have begun anew; their next list says so.
  const fits = equalBytes(pinned.pin.accountKey, certificate.accountKey)
  const person = fits || !known ? pinned : ((await people.refresh(certificate.account)) ?? pinned)
  if (!equalBytes(person.pin.accountKey, certificate.accountKey)) {
    await people.conflict(certificate.account)
    return false
  }
  if (isPast || isListed(person, certificate)) return true
  const newest = known && (await people.refresh(certificate.account))
  return newest !== undefined && isListed(newest, certificate)
}

/** Whether this very certificate's device and key are on the newest list known. */
export const isListed = (person: KnownPerson, certificate: DeviceCertificate): boolean =>
  person.devices.some((device) => device.device === certificate.device && equalBytes(device.signatureKey, certificate.signatureKey))
