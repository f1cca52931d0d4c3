/** Sessions: opaque tokens, 15-minute access, 30-day refresh, rotated; a refresh token used twice ends the whole family. */
import { z } from 'zod'
import { WebAuthnJson } from './webauthn-json.ts'
import { jsonBytes } from './bytes.ts'
import { AccountId, ChallengeId, DeviceId, SessionId, UnlockId } from './ids.ts'
import { limits } from './limits.ts'
import { route } from './vocabulary.ts'

/** 256 random bits, base64url. */
export const Token = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** How a session came about; `link`: another device of the account let it in; `recovery`: by a code from the operator. */
export const SignInMethod = z.enum(['password', 'passkey', 'link', 'kit', 'recovery'])
export type SignInMethod = z.output<typeof SignInMethod>

export const SessionTokens = z.object({
  session: SessionId,
  account: AccountId,
  /** Null until the session has enrolled a device. */
  device: DeviceId.nullable(),
  accessToken: Token,
  /** Seconds until the access token ends. */
  accessExpiresIn: z.int().min(0),
  refreshToken: Token,
  refreshExpiresIn: z.int().min(0),
})
export type SessionTokens = z.output<typeof SessionTokens>

/** How the account of a session can prove that its person is there. */
export const ProofMethod = z.enum(['password', 'passkey'])
export type ProofMethod = z.output<typeof ProofMethod>

/** Seconds for which a proof counts; 0: there is none. */
const proved = z.object({ provedFor: z.int().min(0) })

export const sessions = {
  startPasswordSignIn: route({
    method: 'POST',
    path: '/v1/sessions/password/start',
    access: 'anyone',
    summary: 'First step of signing in with a password (OPAQUE login); answers alike whether the account exists',
    body: z.strictObject({ handle: z.string().max(128), startLoginRequest: z.string().max(1024) }),
    result: z.object({ challenge: ChallengeId, loginResponse: z.string().max(4096) }),
    status: 200,
    failures: [],
  }),
  finishPasswordSignIn: route({
    method: 'POST',
    path: '/v1/sessions/password/finish',
    access: 'anyone',
    summary: 'Second step of signing in with a password',
    body: z.strictObject({ challenge: ChallengeId, finishLoginRequest: z.string().max(1024) }),
    result: SessionTokens,
    status: 201,
    failures: ['wrong_credentials', 'expired'],
  }),
  startPasskeySignIn: route({
    method: 'POST',
    path: '/v1/sessions/passkey/start',
    access: 'anyone',
    summary: 'First step of signing in with a passkey; no handle needed',
    body: z.strictObject({}),
    result: z.object({ challenge: ChallengeId, options: WebAuthnJson }),
    status: 200,
    failures: [],
  }),
  finishPasskeySignIn: route({
    method: 'POST',
    path: '/v1/sessions/passkey/finish',
    access: 'anyone',
    summary: 'Second step of signing in with a passkey',
    body: z.strictObject({ challenge: ChallengeId, response: WebAuthnJson }),
    result: SessionTokens,
    status: 201,
    failures: ['wrong_credentials', 'expired'],
  }),
  startKitSignIn: route({
    method: 'POST',
    path: '/v1/sessions/kit/start',
    access: 'anyone',
    summary: 'First step of signing in with a recovery kit; `kit_replaced` says when the kit was replaced by another',
    body: z.strictObject({ kit: UnlockId }),
    result: z.object({ challenge: ChallengeId, nonce: jsonBytes({ min: 32, max: 32 }) }),
    status: 200,
    failures: ['kit_replaced'],
  }),
  finishKitSignIn: route({
    method: 'POST',
    path: '/v1/sessions/kit/finish',
    access: 'anyone',
    summary: 'Second step of signing in with a recovery kit: its signature of the nonce',
    body: z.strictObject({ challenge: ChallengeId, signature: jsonBytes({ min: 64, max: 64 }) }),
    result: SessionTokens,
    status: 201,
    failures: ['wrong_credentials', 'expired'],
  }),
  recover: route({
    method: 'POST',
    path: '/v1/sessions/recovery',
    access: 'anyone',
    summary: 'Signs in with a one-time code from the operator; good for a reset only',
    body: z.strictObject({ handle: z.string().max(128), code: z.string().max(64) }),
    result: SessionTokens,
    status: 201,
    failures: ['wrong_credentials'],
  }),
  renew: route({
    method: 'POST',
    path: '/v1/sessions/renew',
    access: 'anyone',
    summary: 'New tokens for a refresh token; the old one ends',
    body: z.strictObject({ refreshToken: Token }),
    result: SessionTokens,
    status: 200,
    failures: ['session_ended'],
  }),
  proof: route({
    method: 'GET',
    path: '/v1/sessions/current/proof',
    access: 'account',
    summary: 'How long the last proof of who is there counts for this session, and how to give one',
    result: proved.extend({ methods: z.array(ProofMethod).max(ProofMethod.options.length) }),
    status: 200,
    failures: [],
  }),
  startPasswordProof: route({
    method: 'POST',
    path: '/v1/sessions/current/proof/password/start',
    access: 'account',
    summary: 'First step of proving by password (OPAQUE login) that the person is there',
    body: z.strictObject({ startLoginRequest: z.string().max(1024) }),
    result: z.object({ challenge: ChallengeId, loginResponse: z.string().max(4096) }),
    status: 200,
    failures: [],
  }),
  finishPasswordProof: route({
    method: 'POST',
    path: '/v1/sessions/current/proof/password/finish',
    access: 'account',
    summary: 'Second step of proving by password; the proof counts for this session alone, for two minutes',
    body: z.strictObject({ challenge: ChallengeId, finishLoginRequest: z.string().max(1024) }),
    result: proved,
    status: 200,
    failures: ['wrong_credentials', 'expired'],
  }),
  startPasskeyProof: route({
    method: 'POST',
    path: '/v1/sessions/current/proof/passkey/start',
    access: 'account',
    summary: 'First step of proving by passkey that the person is there',
    body: z.strictObject({}),
    result: z.object({ challenge: ChallengeId, options: WebAuthnJson }),
    status: 200,
    failures: [],
  }),
  finishPasskeyProof: route({
    method: 'POST',
    path: '/v1/sessions/current/proof/passkey/finish',
    access: 'account',
    summary: 'Second step of proving by passkey; the proof counts for this session alone, for two minutes',
    body: z.strictObject({ challenge: ChallengeId, response: WebAuthnJson }),
    result: proved,
    status: 200,
    failures: ['wrong_credentials', 'expired'],
  }),
  list: route({
    method: 'GET',
    path: '/v1/sessions',
    access: 'account',
    summary: 'My sessions',
    result: z.object({
      sessions: z
        .array(
          z.object({
            session: SessionId,
            device: DeviceId.nullable(),
            method: SignInMethod,
            current: z.boolean(),
            createdAt: z.iso.datetime(),
            lastUsedAt: z.iso.datetime(),
          }),
        )
        .max(limits.sessionsPerAccount),
    }),
    status: 200,
    failures: [],
  }),
  signOut: route({
    method: 'DELETE',
    path: '/v1/sessions/current',
    access: 'account',
    summary: 'Ends this session and clears what the browser kept for this site',
    result: z.null(),
    status: 204,
    failures: [],
  }),
  revoke: route({
    method: 'DELETE',
    path: '/v1/sessions/:session',
    access: 'account',
    summary: 'Ends another session of mine',
    params: z.object({ session: SessionId }),
    result: z.null(),
    status: 204,
    failures: [],
  }),
}
