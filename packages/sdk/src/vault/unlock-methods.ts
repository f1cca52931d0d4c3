/** Adding, replacing and removing ways to sign in. Each change goes to the server together with the vault that knows of it. */
import { routes, UnlockId, type ChallengeId, type RouteInput, type Routes, type WebAuthnJson } from '@tacit/contract'
import { mustBeStrong, startRegistration } from '../account/password.ts'
import type { RecoveryKit, UnlockMethod } from '../api.ts'
import { mintId } from '../sealing.ts'
import type { Clock } from '../surroundings.ts'
import { kitCode, kitFrom, newKitSecret, wordsOf } from './kit.ts'
import { fetchVault, nextKeysPart, onNewestVault, type VaultAccess } from './own-vault.ts'
import { unlockPair, wrapVaultKey, type UnlockSecret } from './unlock.ts'
import type { Vault, VaultHolder } from './vault.ts'

type MethodAccess = VaultAccess & { readonly clock: Pick<Clock, 'now'> }
type Proof = RouteInput<Routes['unlocks']['put']>['body']['method']

/** Oldest first. */
export async function unlockMethods(access: VaultAccess): Promise<readonly UnlockMethod[]> {
  const { holders, accountKeySeed } = await fetchVault(access)
  accountKeySeed.fill(0)
  const methods = [...holders].map(([unlock, { kind, addedAt }]): UnlockMethod => ({ unlock, kind, addedAt }))
  return methods.toSorted((one, other) => one.addedAt - other.addedAt)
}

/** In the place of the password there was, if there was one. */
export async function putPassword(access: MethodAccess, { handle, password }: { handle: string; password: string }): Promise<void> {
  mustBeStrong({ password, handle })
  const registration = await startRegistration(password)
  const body = { registrationRequest: registration.registrationRequest }
  const { registrationResponse } = await access.session.call(routes.unlocks.startPassword, { body })
  const { registrationRecord, exportKey } = registration.finish(registrationResponse)
  const id = mintId(access.random, UnlockId)
  await put(access, { id, secret: { kind: 'password', secret: exportKey }, proof: { kind: 'password', registrationRecord } })
}

export const beginPasskey = ({ session }: VaultAccess) => session.call(routes.unlocks.startPasskey, { body: {} })

export async function finishPasskey(
  access: MethodAccess,
  { challenge, response, prf }: { challenge: ChallengeId; response: WebAuthnJson; prf: Uint8Array },
): Promise<void> {
  const id = mintId(access.random, UnlockId)
  await put(access, { id, secret: { kind: 'passkey', secret: prf }, proof: { kind: 'passkey', challenge, response } })
}

/** A new kit; the one before is one no more. It is not kept here: who does not write it down has none. */
export async function makeKit(access: MethodAccess, { server, handle }: { server: string; handle: string }): Promise<RecoveryKit> {
  const secret = newKitSecret(access.random)
  const { id, signIn, unlock } = await kitFrom(secret)
  await put(access, { id, secret: unlock, proof: { kind: 'kit', signInKey: signIn.publicKey } })
  const words = await wordsOf(secret)
  return { server, handle, words, code: kitCode({ server, handle, words }), madeAt: access.clock.now() }
}

export async function removeUnlock(access: VaultAccess, unlock: UnlockId): Promise<void> {
  await onNewestVault(access, async (current) => {
    const keys = await nextKeysPart(
      access,
      current,
      without(current, (id) => id === unlock),
    )
    await access.session.call(routes.unlocks.remove, { params: { unlock }, body: { keys } })
    await access.memory.keep({ seen: [{ part: 'keys', version: keys.version }] })
  })
}

interface NewMethod {
  readonly id: UnlockId
  readonly secret: UnlockSecret & { readonly kind: VaultHolder['kind'] }
  readonly proof: Proof
}

async function put(access: MethodAccess, { id, secret, proof }: NewMethod): Promise<void> {
  const { session, self, memory, clock } = access
  const { kind } = secret
  const { publicKey } = await unlockPair(secret, self.account)
  await onNewestVault(access, async (current) => {
    const others = kind === 'passkey' ? current : without(current, (_, holder) => holder.kind === kind)
    const holders = new Map([...others.holders, [id, { kind, publicKey, addedAt: clock.now() }]])
    const keys = await nextKeysPart(access, current, { ...current, holders })
    const unlock = await wrapVaultKey(current.vaultKey, { id, kind, publicKey }, self.account)
    await session.call(routes.unlocks.put, { body: { method: proof, unlock, keys } })
    await memory.keep({ seen: [{ part: 'keys', version: keys.version }] })
  })
}

const without = (vault: Vault, is: (id: UnlockId, holder: VaultHolder) => boolean): Vault => ({
  ...vault,
  holders: new Map([...vault.holders].filter(([id, holder]) => !is(id, holder))),
})
