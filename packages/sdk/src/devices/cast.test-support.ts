/** People for tests of trust: real account keys, certificates and lists, without a server. */
import {
  AccountId,
  DeviceId,
  equalBytes,
  readDeviceCertificate,
  readDeviceList,
  signDeviceCertificate,
  type DeviceCertificate,
} from '@tacit/contract'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import { firstDeviceList, nextDeviceList } from '../account/new-device.ts'
import { mintId } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'
import type { KnownPerson } from './people.ts'

export interface CastDevice {
  readonly certificate: DeviceCertificate
  readonly credential: Uint8Array
  readonly signatureKey: Uint8Array
}

export class CastMember {
  readonly account: AccountId
  readonly key: SigningKey
  #list: Uint8Array | undefined

  private constructor(key: SigningKey, account: AccountId) {
    this.key = key
    this.account = account
  }

  /** Somebody with an account key; as another person under the same account id when one is given. */
  static async make(account = mintId(platformRandom, AccountId)): Promise<CastMember> {
    return new CastMember(await signingKeyFrom(platformRandom.bytes(32)), account)
  }

  /** A certified device; `notAfter` in seconds. */
  async device({ notAfter = 4_000_000_000, listed = true }: { notAfter?: number; listed?: boolean } = {}): Promise<CastDevice> {
    const { publicKey: signatureKey } = await signingKeyFrom(platformRandom.bytes(32))
    const fields = {
      account: this.account,
      accountKey: this.key.publicKey,
      device: mintId(platformRandom, DeviceId),
      signatureKey,
      notAfter,
    }
    const credential = await signDeviceCertificate(fields, this.key.sign)
    const certificate = await readDeviceCertificate(credential)
    if (!certificate) throw new Error('a certificate that does not read')
    if (listed) await this.#change({ add: credential, keep: () => true })
    return { certificate, credential, signatureKey }
  }

  async withdraw(device: CastDevice): Promise<void> {
    await this.#change({ keep: (one) => one.device !== device.certificate.device })
  }

  /** As a device that has looked this person up sees them. */
  async known(): Promise<KnownPerson> {
    const list = this.#list && (await readDeviceList(this.#list))
    if (!list || !this.#list) throw new Error('nobody knows this person yet')
    const pin = {
      account: this.account,
      handle: 'x',
      accountKey: this.key.publicKey,
      listVersion: list.version,
      listHash: list.hash,
      list: this.#list,
    }
    return { pin, devices: list.devices }
  }

  async #change(change: { add?: Uint8Array; keep: (device: DeviceCertificate) => boolean }): Promise<void> {
    if (this.#list) this.#list = await nextDeviceList(this, { current: this.#list, ...change })
    else if (change.add) this.#list = await firstDeviceList(this, change.add)
  }
}

/** What devices know and what the server would answer, as plain maps. */
export class CastPeople {
  readonly pinned = new Map<AccountId, KnownPerson>()
  readonly onServer = new Map<AccountId, KnownPerson>()
  readonly conflicts: AccountId[] = []
  readonly formerKeys: { readonly account: AccountId; readonly accountKey: Uint8Array }[] = []
  asked = 0

  async known(account: AccountId): Promise<KnownPerson | undefined> {
    return this.pinned.get(account)
  }

  async refresh(account: AccountId): Promise<KnownPerson | undefined> {
    this.asked += 1
    const fresh = this.onServer.get(account)
    if (fresh) this.pinned.set(account, fresh)
    return fresh
  }

  async pinByCertificate({ account, accountKey }: DeviceCertificate): Promise<KnownPerson> {
    const nothing = new Uint8Array()
    const person = { pin: { account, handle: '', accountKey, listVersion: 0, listHash: nothing, list: nothing }, devices: [] }
    this.pinned.set(account, person)
    return person
  }

  async hadKey(account: AccountId, accountKey: Uint8Array): Promise<boolean> {
    return this.formerKeys.some((one) => one.account === account && equalBytes(one.accountKey, accountKey))
  }

  async conflict(account: AccountId): Promise<void> {
    this.conflicts.push(account)
  }
}
