/** The verbs by which a person keeps order among their devices, and proves that it is them. */
import { routes, toBase64Url, type ChallengeId, type DeviceId } from '@tacit/contract'
import { MessengerError, type DeviceInfo, type Verbs } from './api.ts'
import { beginPasskeyProof, finishPasskeyProof, proofState, proveByPassword } from './account/prove.ts'
import { markDevicesSeen } from './devices/new-devices.ts'
import { takeOffList } from './account/take-off-list.ts'
import { changeVault, fetchVault } from './vault/own-vault.ts'
import { activeOf } from './vault/places.ts'
import { rotateVaultKey } from './vault/rotate.ts'
import { withDevice, type Vault } from './vault/vault.ts'
import { vaultIn } from './vault/vault.store.ts'
import type { SignedIn } from './verbs.ts'

type OwnDeviceVerbs = Pick<
  Verbs,
  | 'devices'
  | 'nameDevice'
  | 'removeDevice'
  | 'acknowledgeDevices'
  | 'proofState'
  | 'proveByPassword'
  | 'beginPasskeyProof'
  | 'finishPasskeyProof'
>

/** Characters; what is longer is cut. */
const LONGEST_NAME = 64

export function ownDeviceVerbs(signedIn: () => SignedIn): OwnDeviceVerbs {
  return {
    ...proofVerbs(signedIn),
    devices: () => ownDevices(signedIn()),
    async nameDevice({ device, name }) {
      const chosen = name.trim().slice(0, LONGEST_NAME)
      if (chosen === '') throw new MessengerError('malformed', 'A name has at least one character.')
      await changeVault(access(signedIn()), (vault) => withName(vault, device, chosen))
    },
    async acknowledgeDevices() {
      const { device, self } = signedIn()
      await device.core.store.transaction((writer) => markDevicesSeen(writer, self.account))
      device.looksDifferent()
    },
    async removeDevice({ device }) {
      const now = signedIn()
      if (device === now.self.device) throw new MessengerError('not_allowed', 'This is the device you use. Sign out instead.')
      await takeOffList({ ...access(now), clock: now.device.core.clock }, [device])
      await rotateVaultKey(access(now), [device])
      await now.device.shared.set('places', { [activeOf(device)]: undefined })
      await now.device.core.people.refresh(now.self.account)
    },
  }
}

const access = ({ device: { core }, self }: SignedIn) => ({
  session: core.session,
  random: core.random,
  memory: vaultIn(core.store),
  self,
})

/** A device that has not told the vault its key yet has no place there for a name. */
function withName(vault: Vault, device: DeviceId, name: string): Vault {
  const known = vault.devices.get(device)
  if (!known) throw new MessengerError('not_found', 'This device is not known to your other devices yet. Try again later.')
  return withDevice(vault, device, { ...known, name })
}

/** Those on the signed list, with their names from the vault and what the server says of their last use. */
async function ownDevices(now: SignedIn): Promise<DeviceInfo[]> {
  const { session, people } = now.device.core
  const [listed, { sessions }, vault] = await Promise.all([
    people.refresh(now.self.account),
    session.call(routes.sessions.list, {}),
    fetchVault(access(now)),
  ])
  vault.accountKeySeed.fill(0)
  now.device.looksDifferent()
  return (listed?.devices ?? []).map((one): DeviceInfo => {
    const used = sessions.filter(({ device }) => device === one.device).map(({ lastUsedAt }) => Date.parse(lastUsedAt))
    return {
      device: one.device,
      current: one.device === now.self.device,
      name: vault.devices.get(one.device)?.name ?? '',
      notAfter: one.notAfter * 1000,
      ...(used.length > 0 && { lastUsedAt: Math.max(...used) }),
    }
  })
}

function proofVerbs(signedIn: () => SignedIn): Omit<OwnDeviceVerbs, 'devices' | 'nameDevice' | 'acknowledgeDevices' | 'removeDevice'> {
  const session = () => signedIn().device.core.session
  /** The newest ceremony; a person has one pair of hands. */
  let begun: { readonly ceremony: string; readonly challenge: ChallengeId } | undefined
  return {
    proofState: () => proofState(session()),
    proveByPassword: ({ password }) => proveByPassword(session(), password),
    async beginPasskeyProof() {
      const { challenge, options } = await beginPasskeyProof(session())
      begun = { ceremony: toBase64Url(signedIn().device.core.random.bytes(16)), challenge }
      return { ceremony: begun.ceremony, options }
    },
    async finishPasskeyProof({ ceremony, response }) {
      const now = begun
      begun = undefined
      if (now?.ceremony !== ceremony) throw new MessengerError('expired', 'This passkey ceremony is over. Begin again.')
      await finishPasskeyProof(session(), { challenge: now.challenge, response })
    },
  }
}
