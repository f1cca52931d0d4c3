/**
 * The vault: the account's private state, sealed on the device, in parts that change apart from each other. The server keeps
 * ciphertext, counts versions, and holds the vault key encrypted to public keys that it does not know.
 *
 * Every change is a compare-and-set: whoever comes second is told, merges and tries again. `generation` counts the vault keys.
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { UnlockId } from './ids.ts'
import { limits } from './limits.ts'
import { event, route } from './vocabulary.ts'

/**
 * keys: what opens and proves everything else · people: nicknames, blocked, compared keys · settings: of the screen · places:
 * how far read, drafts.
 */
export const VaultPart = z.enum(['keys', 'people', 'settings', 'places'])
export type VaultPart = z.output<typeof VaultPart>

/** The vault key, encrypted (HPKE) to the public key of one way to open the vault. */
export const VaultUnlock = z.strictObject({
  id: UnlockId,
  kind: z.enum(['password', 'passkey', 'kit', 'device']),
  wrappedKey: jsonBytes({ min: 1, max: limits.vaultUnlock }),
})
export type VaultUnlock = z.output<typeof VaultUnlock>

const generation = z.int().min(1)
/** 0 before anything was put into the part. */
const version = z.int().min(0)
const sealedPart = jsonBytes({ min: 1, max: limits.vaultPart })
const allUnlocks = z
  .array(VaultUnlock)
  .min(1)
  .max(limits.unlocksPerAccount + limits.devicesPerAccount)

/** A part's next version. */
export const NextPart = z.strictObject({ version: z.int().min(1), bytes: sealedPart })

export const vault = {
  fetch: route({
    method: 'GET',
    path: '/v1/vault',
    access: 'account',
    summary: 'My vault: its parts and the vault key, encrypted to each way to open it',
    result: z.object({
      generation,
      parts: z.array(z.object({ part: VaultPart, version, bytes: jsonBytes({ max: limits.vaultPart }) })).max(VaultPart.options.length),
      unlocks: allUnlocks,
    }),
    status: 200,
    failures: [],
  }),
  heads: route({
    method: 'GET',
    path: '/v1/vault/heads',
    access: 'device',
    summary: 'The versions of my vault’s parts',
    result: z.object({ generation, parts: z.array(z.object({ part: VaultPart, version })).max(VaultPart.options.length) }),
    status: 200,
    failures: [],
  }),
  part: route({
    method: 'GET',
    path: '/v1/vault/parts/:part',
    access: 'device',
    summary: 'One part of my vault',
    params: z.object({ part: VaultPart }),
    result: z.object({ generation, version, bytes: jsonBytes({ max: limits.vaultPart }) }),
    status: 200,
    failures: [],
  }),
  replace: route({
    method: 'PUT',
    path: '/v1/vault/parts/:part',
    access: 'device',
    summary: 'Replaces one part, if `version` is its next one and `generation` the vault’s',
    params: z.object({ part: VaultPart }),
    body: NextPart.extend({ generation }),
    result: z.object({ version }),
    status: 200,
    failures: ['version_conflict'],
  }),
  rotate: route({
    method: 'POST',
    path: '/v1/vault/rotations',
    access: 'device',
    summary: 'A new vault key: every part sealed anew, and the key encrypted to every way to open the vault, in one step',
    body: z.strictObject({
      /** The next one. */
      generation: z.int().min(2),
      parts: z
        .array(NextPart.extend({ part: VaultPart }))
        .min(1)
        .max(VaultPart.options.length),
      unlocks: allUnlocks,
    }),
    result: z.object({ generation }),
    status: 200,
    failures: ['version_conflict'],
  }),
}

export const vaultEvents = {
  changed: event({
    code: 11,
    summary: 'A part of my vault has a new version',
    body: z.object({ part: VaultPart, version, generation }),
  }),
}
