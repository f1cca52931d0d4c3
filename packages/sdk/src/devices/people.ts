/**
 * Who is who: the first account key seen for an account is pinned, and every later device list must be signed by it and
 * follow the newest one known. What does not fit is refused and told, never taken.
 */
import { equalBytes, readDeviceList, Refusal, routes, type AccountId, type DeviceCertificate } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import type { Session } from '../connection/session.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { findPin, markConflict, savePin, type Pin } from './people.store.ts'

export interface PeopleParts {
  readonly store: StoreDriver
  readonly session: Session
  /** A presented account key or list does not fit the pinned one; told once per account. */
  readonly identityChanged: (account: AccountId) => Promise<void>
}

/** A pinned account with the devices on its newest known list. */
export interface KnownPerson {
  readonly pin: Pin
  readonly devices: readonly DeviceCertificate[]
}

/** What the server presents about somebody. */
interface Presented {
  readonly handle: string
  readonly deviceList: Uint8Array
}

/** Where a missing list comes from: asked of the server at most once per question. */
export class People {
  readonly #parts: PeopleParts
  readonly #known = new Map<AccountId, KnownPerson>()

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  /** Finds somebody by exact handle and pins them. Undefined when there is nobody; rejects with `identity_mismatch`. */
  async lookUp(handle: string): Promise<KnownPerson | undefined> {
    try {
      const { account, accountKey, ...presented } = await this.#parts.session.call(routes.accounts.lookUp, { params: { handle } })
      return await this.#accept({ account, accountKey, presented })
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'not_found') return undefined
      throw error
    }
  }

  /** What this device knows, without asking anybody. */
  async known(account: AccountId): Promise<KnownPerson | undefined> {
    const cached = this.#known.get(account)
    if (cached) return cached
    const pin = await findPin(this.#parts.store, account)
    return pin && this.#remember(pin)
  }

  /**
   * The newest list the server has. Undefined when it has none for us: the account is gone, or shares no conversation with
   * us any more. `accountKey` is what a certificate names; it is pinned when nothing is yet.
   */
  async refresh(account: AccountId, accountKey?: Uint8Array): Promise<KnownPerson | undefined> {
    try {
      const presented = await this.#parts.session.call(routes.devices.list, { params: { account } })
      return await this.#accept({ account, accountKey, presented })
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'not_found') return undefined
      throw error
    }
  }

  /** Pins an account by its certificate alone: its list is out of reach, and a pin is better than none. */
  async pinByCertificate({ account, accountKey }: DeviceCertificate): Promise<KnownPerson> {
    const nothing = new Uint8Array()
    return this.#save({ account, handle: '', accountKey, listVersion: 0, listHash: nothing, list: nothing })
  }

  /** Tells that a key other than the pinned one was presented. */
  async conflict(account: AccountId): Promise<void> {
    if (await this.#parts.store.transaction((writer) => markConflict(writer, account))) await this.#parts.identityChanged(account)
  }

  async #accept(claim: { account: AccountId; accountKey?: Uint8Array | undefined; presented: Presented }): Promise<KnownPerson> {
    const { account, presented } = claim
    const list = await readDeviceList(presented.deviceList)
    const before = await this.known(account)
    const key = before?.pin.accountKey ?? claim.accountKey ?? list?.accountKey
    const sound = list && list.account === account && key && equalBytes(list.accountKey, key)
    if (!sound || (before && !follows(list, before.pin))) {
      if (before) await this.conflict(account)
      throw mismatch()
    }
    if (before && before.pin.listVersion === list.version && before.pin.handle !== '') return before
    const { handle, deviceList } = presented
    return this.#save({ account, handle, accountKey: key, listVersion: list.version, listHash: list.hash, list: deviceList })
  }

  async #save(pin: Pin): Promise<KnownPerson> {
    await this.#parts.store.transaction((writer) => savePin(writer, pin))
    return this.#remember(pin)
  }

  async #remember(pin: Pin): Promise<KnownPerson> {
    const devices = pin.listVersion === 0 ? [] : ((await readDeviceList(pin.list))?.devices ?? [])
    const person = { pin, devices }
    this.#known.set(pin.account, person)
    return person
  }
}

/** A list carries the hash of the one before it, so the chain can be checked over one step; further ones rest on the signature. */
function follows(list: { version: number; hash: Uint8Array; previous: Uint8Array }, pin: Pin): boolean {
  if (pin.listVersion === 0) return true
  if (list.version === pin.listVersion) return equalBytes(list.hash, pin.listHash)
  if (list.version === pin.listVersion + 1) return equalBytes(list.previous, pin.listHash)
  return list.version > pin.listVersion
}

const mismatch = () => new MessengerError('identity_mismatch', 'What the server presented is not signed by the key we know.')
