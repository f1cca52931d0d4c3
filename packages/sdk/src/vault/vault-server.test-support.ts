/** The vault room of a server, as far as devices of one account can see it, and such devices. */
import {
  AccountId,
  DeviceId,
  Refusal,
  routes,
  UnlockId,
  type RouteInput,
  type Routes,
  type VaultPart,
  type VaultUnlock,
} from '@tacit/contract'
import { createMlsEngine } from '@tacit/mls'
import type { Session } from '../connection/session.ts'
import { mintId } from '../sealing.ts'
import { signingKeyFrom } from '../signing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { deviceSecret, type VaultAccess } from './own-vault.ts'
import { sealPart, type VaultKey } from './parts.ts'
import { unlockPair, wrapVaultKey, type UnlockSecret } from './unlock.ts'
import { encodeVault, type VaultDevice } from './vault.ts'
import type { VaultMemory } from './vault.store.ts'

interface Held {
  generation: number
  parts: { part: VaultPart; version: number; bytes: Uint8Array }[]
  unlocks: VaultUnlock[]
}

type Replaced = RouteInput<Routes['vault']['replace']>['body']

const engine = await createMlsEngine({ treeInWelcome: false })

/** A vault server with one account in it, whose vault opens by `unlock` and by two devices. */
export async function vaultTown() {
  const account = mintId(random, AccountId)
  const seed = random.bytes(32)
  const { publicKey: accountKey } = await signingKeyFrom(seed)
  const vaultKey: VaultKey = { key: random.bytes(32), generation: 1 }
  const unlock: UnlockSecret = { kind: 'password', secret: random.bytes(64) }
  const holder = { id: mintId(random, UnlockId), kind: 'password', publicKey: (await unlockPair(unlock, account)).publicKey } as const
  const server = new VaultServer()
  const made = await Promise.all(
    ['Phone', 'Tablet'].map(async (name) => {
      const self = { account, accountKey, device: mintId(random, DeviceId), signature: await engine.generateSignaturePair() }
      const publicKey = (await unlockPair(deviceSecret(self), account)).publicKey
      const access: VaultAccess = { session: server.session, self, random, memory: memoryWith(vaultKey) }
      return { access, device: { name, publicKey } }
    }),
  )
  // In their order, and not in that in which their keys were ready.
  const devices = new Map<DeviceId, VaultDevice>(made.map(({ access, device }) => [access.self.device, device]))
  const contents = { accountKeySeed: seed, holders: new Map([[holder.id, { ...holder, addedAt: 0 }]]), devices, archiveKeys: new Map() }
  const bytes = await sealPart({ vaultKey, name: { account, part: 'keys', version: 1 }, bytes: encodeVault(contents), random })
  server.held.parts = [{ part: 'keys', version: 1, bytes }]
  server.held.unlocks = [await wrapVaultKey(vaultKey, holder, account)]
  const [phone, tablet] = made.map(({ access }) => access)
  if (!phone || !tablet) throw new TypeError('expected two devices')
  return { server, account, unlock, phone, tablet }
}

function memoryWith(first: VaultKey): VaultMemory {
  let key: VaultKey = first
  const versions = new Map<VaultPart, number>()
  return {
    key: async () => key,
    former: async () => undefined,
    seen: async (part) => versions.get(part) ?? 0,
    async keep(what) {
      key = what.key ?? key
      for (const { part, version } of what.seen ?? []) versions.set(part, version)
    },
  }
}

class VaultServer {
  held: Held = { generation: 1, parts: [], unlocks: [] }
  /** What the sessions room says. */
  sessions: { readonly device: DeviceId; readonly lastUsedAt: string }[] = []
  /** Called before the next change is looked at, once. */
  before: (() => Promise<void>) | undefined

  readonly session: Pick<Session, 'call'> = { call: (async (route, given) => this.#answer(route, given)) as Session['call'] }

  async #answer(route: unknown, given: { params?: unknown; body?: unknown }): Promise<unknown> {
    const { held } = this
    if (route === routes.vault.fetch) return held
    if (route === routes.sessions.list) return { sessions: this.sessions }
    if (route === routes.vault.part) return { generation: held.generation, ...held.parts.find(({ part }) => part === 'keys') }
    const meanwhile = this.before
    this.before = undefined
    await meanwhile?.()
    if (route === routes.vault.replace) return this.#replace(given.body as Replaced)
    if (route === routes.vault.rotate) return this.#rotate(given.body as Held)
    throw new TypeError('not of the vault')
  }

  #replace({ generation, version, bytes }: Replaced) {
    const { held } = this
    if (generation !== held.generation || version !== (held.parts[0]?.version ?? 0) + 1) throw new Refusal('version_conflict')
    held.parts = [{ part: 'keys', version, bytes }]
    return { version }
  }

  #rotate({ generation, parts, unlocks }: Held) {
    const isNext = parts.every(({ part, version }) => this.held.parts.some((one) => one.part === part && one.version === version - 1))
    if (generation !== this.held.generation + 1 || !isNext) throw new Refusal('version_conflict')
    this.held = { generation, parts, unlocks }
    return { generation }
  }
}
