/**
 * Who is who: the first account key seen for an account is pinned, and every later device list must be signed by it and
 * follow the newest one known. What does not fit is refused and told. One exception: a person who lost everything begins anew
 * with another key; that is taken when the log of device lists has it, where everybody sees it, and told in every conversation.
 */
import { equalBytes, readDeviceList, Refusal, routes, type AccountId, type DeviceCertificate } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import type { Session } from '../connection/session.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import type { KeyLog } from '../transparency/key-log.ts'
import { keepOwnList } from './own-lists.store.ts'
import { findPin, findPinByHandle, markConflict, savePin, wasKeyOf, type Pin } from './people.store.ts'

export interface PeopleParts {
  readonly store: StoreDriver
  readonly session: Session
  readonly keyLog: Pick<KeyLog, 'confirm' | 'notLogged' | 'hasGoneBack'>
  /** Whose lists are kept with the server's proofs of them, to be offered again. */
  readonly self: AccountId
  /** Somebody has a name now. */
  readonly renamed: () => void
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

interface Claim {
  readonly account: AccountId
  readonly accountKey?: Uint8Array
  readonly presented: Presented
}

type ReadList = NonNullable<Awaited<ReturnType<typeof readDeviceList>>>

/** Where a missing list comes from: asked of the server at most once per question. */
export class People {
  readonly #parts: PeopleParts
  readonly #known = new Map<AccountId, KnownPerson>()
  readonly #turns = new Map<AccountId, OneAtATime>()

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  /** Finds somebody by exact handle and pins them. Undefined when there is nobody; rejects with `identity_mismatch`. */
  async lookUp(handle: string): Promise<KnownPerson | undefined> {
    const ask = () => this.#parts.session.call(routes.accounts.lookUp, { params: { handle } })
    try {
      const found = await ask()
      const { account } = found
      const namesake = await findPinByHandle(this.#parts.store, handle)
      if (namesake && namesake.account !== account) throw mismatch()
      return await this.#oneByOne(account, async () => {
        const known = await this.known(account)
        const version = (await readDeviceList(found.deviceList))?.version ?? 0
        // Answers may overtake each other; an old list is evidence only when it was asked for after the newer one.
        const isOld = known && version < known.pin.listVersion
        return this.#acceptLogged(account, async (again) => {
          const presented = isOld || again ? await ask() : found
          return { account, accountKey: presented.accountKey, presented }
        })
      })
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
   * us any more.
   */
  async refresh(account: AccountId): Promise<KnownPerson | undefined> {
    try {
      return await this.#oneByOne(account, async () => {
        const ask = () => this.#parts.session.call(routes.devices.list, { params: { account } })
        return this.#acceptLogged(account, async () => ({ account, presented: await ask() }))
      })
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

  #oneByOne<T>(account: AccountId, work: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(account) ?? new OneAtATime()
    this.#turns.set(account, turns)
    return turns.run(work)
  }

  /** Accepts what is asked for, if the log of device lists holds it. Between two answers a list may change: it is asked for again, once. */
  async #acceptLogged(account: AccountId, ask: (again: boolean) => Promise<Claim>): Promise<KnownPerson> {
    const first = await this.#accept(await ask(false))
    const person = first ?? (await this.#accept(await ask(true)))
    if (person) return person
    await this.#parts.keyLog.notLogged(account)
    throw mismatch()
  }

  /** Undefined when the list is sound but not the one in the log. */
  async #accept(claim: Claim): Promise<KnownPerson | undefined> {
    const { account, presented } = claim
    const list = await readDeviceList(presented.deviceList)
    const before = await this.known(account)
    const key = before?.pin.accountKey ?? claim.accountKey ?? list?.accountKey
    const named = claim.accountKey ?? key
    const sound = list && list.account === account && key && named && equalBytes(list.accountKey, key) && equalBytes(named, key)
    if (!sound) {
      if (before && isAnew(claim, list, before.pin)) return this.#acceptAnew(presented, list)
      return this.#refuse(before)
    }
    if (before && !follows(list, before.pin)) {
      const place = await this.#placeInLog(list)
      if (place === 'nowhere') return this.#refuse(before)
      // Another list came meanwhile.
      if (place === 'gone') return undefined
      if (list.version <= before.pin.listVersion) return before
    }
    const proof = await this.#parts.keyLog.confirm({ account, version: list.version, hash: list.hash })
    if (!proof) return undefined
    if (account === this.#parts.self)
      await this.#parts.store.transaction((writer) => keepOwnList(writer, { ...list, list: presented.deviceList, proof }))
    if (before && before.pin.listVersion === list.version && before.pin.handle !== '') return before
    const { handle, deviceList } = presented
    return this.#save({ account, handle, accountKey: key, listVersion: list.version, listHash: list.hash, list: deviceList })
  }

  async #refuse(before: KnownPerson | undefined): Promise<never> {
    if (before) await this.conflict(before.pin.account)
    throw mismatch()
  }

  /**
   * `lost`: the server has this list, by the right key, because it was restored from a backup and its log went back with it, which is
   * told. Until its owner's devices have offered newer ones again (account/offer-lists-again.ts), the list that is known stays.
   */
  async #placeInLog({ account, version, hash }: ReadList): Promise<'lost' | 'gone' | 'nowhere'> {
    const proof = await this.#parts.keyLog.confirm({ account, version, hash })
    if (!(await this.#parts.keyLog.hasGoneBack())) return 'nowhere'
    return proof ? 'lost' : 'gone'
  }

  /** The person began anew with another account key. It is taken if everybody can see it in the log, and told. Undefined when it is not in the log. */
  async #acceptAnew({ handle, deviceList }: Presented, list: ReadList): Promise<KnownPerson | undefined> {
    const { account, accountKey, version, hash } = list
    if (!(await this.#parts.keyLog.confirm({ account, version, hash }))) return undefined
    const person = await this.#save({ account, handle, accountKey, listVersion: version, listHash: hash, list: deviceList })
    await this.#parts.identityChanged(account)
    return person
  }

  /** Whether this was the account's key before it was reset. */
  hadKey(account: AccountId, accountKey: Uint8Array): Promise<boolean> {
    return wasKeyOf(this.#parts.store, { account, accountKey })
  }

  async #save(pin: Pin): Promise<KnownPerson> {
    const before = this.#known.get(pin.account)?.pin.handle
    await this.#parts.store.transaction((writer) => savePin(writer, pin))
    if (before !== pin.handle) this.#parts.renamed()
    return this.#remember(pin)
  }

  async #remember(pin: Pin): Promise<KnownPerson> {
    const devices = pin.listVersion === 0 ? [] : ((await readDeviceList(pin.list))?.devices ?? [])
    const person = { pin, devices }
    this.#known.set(pin.account, person)
    return person
  }
}

/** Whether a list that is not by the pinned key may be the one with which somebody began anew: it continues the account's lists under a key of its own. */
const isAnew = ({ account, accountKey }: Claim, list: ReadList | undefined, pin: Pin): list is ReadList =>
  list !== undefined &&
  list.account === account &&
  !equalBytes(list.accountKey, pin.accountKey) &&
  (accountKey === undefined || equalBytes(list.accountKey, accountKey)) &&
  list.version > pin.listVersion &&
  follows(list, pin)

/** A list carries the hash of the one before it, so the chain can be checked over one step; further ones rest on the signature. */
function follows(list: { version: number; hash: Uint8Array; previous: Uint8Array }, pin: Pin): boolean {
  if (pin.listVersion === 0) return true
  if (list.version === pin.listVersion) return equalBytes(list.hash, pin.listHash)
  if (list.version === pin.listVersion + 1) return equalBytes(list.previous, pin.listHash)
  return list.version > pin.listVersion
}

const mismatch = () => new MessengerError('identity_mismatch', 'What the server presented is not signed by the key we know.')
