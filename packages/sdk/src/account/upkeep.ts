/**
 * What a device does for its account by time alone, and what others changed while it was away: its certificate, the idle ones of
 * the account's devices, the newest lists.
 */
import type { DeviceCore } from '../device-core.ts'
import { beginSeeing } from '../devices/new-devices.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { wentBackAt } from '../transparency/key-log.store.ts'
import { tellVault, type VaultAccess } from '../vault/own-vault.ts'
import { activeOf } from '../vault/places.ts'
import type { SharedState } from '../vault/shared-state.ts'
import { valueOf } from '../vault/values.store.ts'
import { offerListsAgain, signAbove } from './offer-lists-again.ts'
import { renewCertificate } from './renew-certificate.ts'
import type { Self } from './settings.ts'
import { tidyDevices } from './tidy-devices.ts'

const DAY = 86_400_000

interface Kept {
  readonly core: DeviceCore
  readonly shared: SharedState
  /** Of the device as it is now. */
  readonly vault: () => VaultAccess & { readonly self: Self; readonly clock: DeviceCore['clock'] }
  /** The certificate was replaced, and is stored. */
  readonly renewed: (self: Self) => Promise<void>
  /** The newest own device list is stored. */
  readonly ownListRead: () => void
  /** Others may have left it to this device to commit something. */
  readonly lookEverywhere: () => Promise<void>
  readonly judgeHeads: () => Promise<void>
}

export class Upkeep {
  readonly #kept: Kept
  readonly #renewals = new OneAtATime()
  #isKeepingUp = false
  /** When the log of keys had gone back, of the last time that what follows from it was done; milliseconds. */
  #recovered = 0

  constructor(kept: Kept) {
    this.#kept = kept
  }

  /** A device may stay online for longer than its certificate lasts. */
  startDaily(): void {
    const { core } = this.#kept
    core.clock.after(DAY, () => {
      if (core.wire.isOnline) void this.keepUp().catch(() => undefined)
      this.startDaily()
    })
  }

  async keepUp(): Promise<void> {
    this.#isKeepingUp = true
    try {
      await this.#keepUp()
    } finally {
      this.#isKeepingUp = false
    }
  }

  /** The log of keys was found to have gone back. Whoever is keeping up comes to it. */
  wentBack(): Promise<void> {
    return this.#isKeepingUp ? Promise.resolve() : this.keepUp()
  }

  async #keepUp(): Promise<void> {
    const { vault, core } = this.#kept
    // Before anybody builds on a list that the server has gone back to.
    await this.#offerAgain().catch(() => undefined)
    // A certificate that cannot be renewed now is renewed another day; there are many.
    await this.#renew().catch(() => undefined)
    await tellVault({ ...vault(), store: core.store }).catch(() => undefined)
    await this.#tidy().catch(() => undefined)
    await this.lookAround()
  }

  /** Reads the newest own list, and does what follows from it. */
  async lookAround(): Promise<void> {
    const { core, ownListRead, judgeHeads, lookEverywhere } = this.#kept
    await core.store.transaction((writer) => beginSeeing(writer, core.account))
    await core.people.refresh(core.account)
    ownListRead()
    await judgeHeads()
    await lookEverywhere()
  }

  /** Once a day: the day on which it was done is the day on which this device was in use. */
  #tidy({ again = false } = {}): Promise<void> {
    return this.#renewals.run(async () => {
      const { core, shared, vault } = this.#kept
      const { clock, people, account, store, device } = core
      const today = Math.floor(clock.now() / DAY)
      if (!again && (await valueOf(store, 'places', activeOf(device))) === today) return
      // What others have said of themselves is here before anybody is judged.
      await shared.resume()
      const gone = await tidyDevices({ ...vault(), store, refreshList: () => people.refresh(account) })
      const without = Object.fromEntries(gone.map((one) => [activeOf(one), undefined]))
      await shared.set('places', { ...without, [activeOf(device)]: today })
    })
  }

  async #offerAgain(): Promise<void> {
    const { vault, core } = this.#kept
    const { session, store, people, account } = core
    // What the server has now is looked at first: that it went back is known from here on.
    await people.refresh(account)
    const offer = async () => (await offerListsAgain({ session, store })) || signAbove({ ...vault(), store })
    // A server that does not take them is no reason to stay with the vault that it went back to.
    const changed = await this.#renewals.run(offer).catch(() => false)
    if (changed) await people.refresh(account)
    const wentBack = (await wentBackAt(store)) ?? 0
    if (!changed && wentBack <= this.#recovered) return
    // The vault went back to a key that somebody who was removed since may know.
    await this.#tidy({ again: true })
    this.#recovered = wentBack
  }

  #renew(): Promise<void> {
    return this.#renewals.run(async () => {
      const { vault, core, renewed } = this.#kept
      const self = await renewCertificate({ ...vault(), store: core.store })
      if (self) await renewed(self)
    })
  }
}
