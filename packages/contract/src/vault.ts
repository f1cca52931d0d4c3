/**
 * The vault: the account's private state, sealed on the device. The server keeps one ciphertext, and for each way to
 * sign in a wrapped vault key that it cannot open.
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { limits } from './limits.ts'
import { route } from './vocabulary.ts'

/** The vault key, sealed under what a way of signing in gives to the device: the OPAQUE export key or the passkey's PRF output. */
export const VaultUnlock = z.strictObject({
  kind: z.enum(['password', 'passkey']),
  wrappedKey: jsonBytes({ min: 1, max: limits.vaultUnlock }),
})
export type VaultUnlock = z.output<typeof VaultUnlock>

export const vault = {
  fetch: route({
    method: 'GET',
    path: '/v1/vault',
    access: 'account',
    summary: 'My vault and its wrapped keys',
    result: z.object({
      version: z.int().min(1),
      bytes: jsonBytes({ max: limits.vault }),
      unlocks: z.array(VaultUnlock).max(16),
    }),
    status: 200,
    failures: [],
  }),
  replace: route({
    method: 'PUT',
    path: '/v1/vault',
    access: 'device',
    summary: 'Replaces the vault, if `version` is the next one',
    body: z.strictObject({ version: z.int().min(2), bytes: jsonBytes({ min: 1, max: limits.vault }) }),
    result: z.object({ version: z.int().min(1) }),
    status: 200,
    failures: ['version_conflict'],
  }),
}
