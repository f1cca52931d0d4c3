/**
 * The ways to sign in, each of which opens the vault as well: password, passkeys, and the recovery kit. Adding or removing one changes
 * the vault's part `keys`, which knows their public keys, in the same step.
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { ChallengeId, UnlockId } from './ids.ts'
import { isSignedBy, signedBytes, type Sign } from './signed.ts'
import { NextPart, VaultUnlock } from './vault.ts'
import { route } from './vocabulary.ts'
import { WebAuthnJson } from './webauthn-json.ts'

const ByPassword = z.strictObject({ kind: z.literal('password'), registrationRecord: z.string().max(4096) })
const ByPasskey = z.strictObject({ kind: z.literal('passkey'), challenge: ChallengeId, response: WebAuthnJson })
/** `signInKey`: Ed25519, signs the kit's challenge. */
const ByKit = z.strictObject({ kind: z.literal('kit'), signInKey: jsonBytes({ min: 32, max: 32 }) })

/** What proves somebody at the server from now on; how a new account is signed up. */
export const SignUpMethod = z.discriminatedUnion('kind', [ByPassword, ByPasskey])
export type SignUpMethod = z.output<typeof SignUpMethod>

/** The part `keys` after the change. */
const keys = NextPart.extend({ generation: z.int().min(1) })

export const unlocks = {
  startPassword: route({
    method: 'POST',
    path: '/v1/unlocks/password',
    access: 'account',
    summary: 'First step of a new password (OPAQUE registration, RFC 9807)',
    body: z.strictObject({ registrationRequest: z.string().max(1024) }),
    result: z.object({ registrationResponse: z.string().max(4096) }),
    status: 200,
    failures: [],
  }),
  startPasskey: route({
    method: 'POST',
    path: '/v1/unlocks/passkey',
    access: 'account',
    summary: 'First step of another passkey (WebAuthn registration options)',
    body: z.strictObject({}),
    result: z.object({ challenge: ChallengeId, options: WebAuthnJson }),
    status: 200,
    failures: [],
  }),
  put: route({
    method: 'POST',
    path: '/v1/unlocks',
    access: 'device',
    summary: 'Adds a way to sign in; a password or a kit takes the place of the one before',
    body: z.strictObject({ method: z.discriminatedUnion('kind', [ByPassword, ByPasskey, ByKit]), unlock: VaultUnlock, keys }),
    result: z.object({ unlock: UnlockId }),
    status: 201,
    failures: ['proof_needed', 'version_conflict', 'wrong_credentials', 'expired', 'too_many', 'already_exists'],
  }),
  remove: route({
    method: 'POST',
    path: '/v1/unlocks/:unlock/removal',
    access: 'device',
    summary: 'Removes a way to sign in; not the last one',
    params: z.object({ unlock: UnlockId }),
    body: z.strictObject({ keys }),
    result: z.null(),
    status: 204,
    failures: ['proof_needed', 'version_conflict', 'not_allowed'],
  }),
}

const kitMessage = (kit: UnlockId, nonce: Uint8Array) => signedBytes('tacit kit sign-in v1', [kit, nonce])

/** What a kit answers to the nonce of a sign-in. */
export const signForKit = (kit: UnlockId, nonce: Uint8Array, sign: Sign): Promise<Uint8Array> => sign(kitMessage(kit, nonce))

/** Whether the kit with this public key made the answer. */
export const isSignedByKit = (claim: { kit: UnlockId; key: Uint8Array; nonce: Uint8Array; signature: Uint8Array }): Promise<boolean> =>
  isSignedBy({ key: claim.key, signature: claim.signature, message: kitMessage(claim.kit, claim.nonce) })
