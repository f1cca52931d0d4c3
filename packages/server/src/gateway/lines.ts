/** The open sockets of this process, by device and by account. One per device: the newest wins. */
import type { AccountId, DeviceId, EventName, EventOf } from '@tacit/contract'
import { encodeEvent } from '@tacit/contract'
import type { DeviceLine } from './socket-line.ts'

export class Lines {
  readonly #byDevice = new Map<DeviceId, DeviceLine>()
  readonly #byAccount = new Map<AccountId, Set<DeviceLine>>()

  /** Adds a line and returns the older one of the same device, which its caller must close. */
  add(line: DeviceLine): DeviceLine | undefined {
    const older = this.#byDevice.get(line.device)
    if (older) this.remove(older)
    this.#byDevice.set(line.device, line)
    const ofAccount = this.#byAccount.get(line.account)
    if (ofAccount) ofAccount.add(line)
    else this.#byAccount.set(line.account, new Set([line]))
    return older
  }

  remove(line: DeviceLine): void {
    if (this.#byDevice.get(line.device) === line) this.#byDevice.delete(line.device)
    const ofAccount = this.#byAccount.get(line.account)
    ofAccount?.delete(line)
    if (ofAccount?.size === 0) this.#byAccount.delete(line.account)
  }

  ofAccount(account: AccountId): ReadonlySet<DeviceLine> {
    return this.#byAccount.get(account) ?? NONE
  }

  has(device: DeviceId): boolean {
    return this.#byDevice.has(device)
  }

  ofDevice(device: DeviceId): DeviceLine | undefined {
    return this.#byDevice.get(device)
  }

  all(): Iterable<DeviceLine> {
    return this.#byDevice.values()
  }

  get size(): number {
    return this.#byDevice.size
  }

  /** Sends an event to a device if it is connected here. */
  tellDevice<N extends EventName>(device: DeviceId, event: { name: N; body: EventOf<N> }): void {
    this.#byDevice.get(device)?.send(encodeEvent(event))
  }

  /** Sends an event to all devices of an account that are connected here. */
  tellAccount<N extends EventName>(account: AccountId, event: { name: N; body: EventOf<N> }): void {
    const lines = this.ofAccount(account)
    if (lines.size === 0) return
    const frame = encodeEvent(event)
    for (const line of lines) line.send(frame)
  }
}

const NONE: ReadonlySet<DeviceLine> = new Set()
