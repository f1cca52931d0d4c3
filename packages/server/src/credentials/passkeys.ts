/**
 * Passkeys (WebAuthn Level 3): discoverable, with user verification, bound to the server's host name. The output of the
 * PRF extension opens the vault, so a response that carries it is refused: it must never leave the device.
 */
import { fromBase64Url, Refusal, WebAuthnJson, type AccountId } from '@tacit/contract'
import { z } from 'zod'
import type { Origins } from '../gateway/origins.ts'

/** Certificates and their parsers are nine megabytes of memory, which a server where nobody uses a passkey does not need. */
const webAuthn = () => import('@simplewebauthn/server')

export interface Passkey {
  /** Credential id, base64url. */
  readonly id: string
  readonly publicKey: Uint8Array
  readonly counter: number
}

export interface Passkeys {
  /** Options for a new passkey, and the challenge in them. `known`: ids of those there are, whose authenticators make no second one. */
  registrationOptions(person: {
    account: AccountId
    handle: string
    known: readonly string[]
  }): Promise<{ options: WebAuthnJson; challenge: string }>
  /** The new passkey. Refuses `wrong_credentials`. */
  register(attempt: { challenge: string; response: WebAuthnJson }): Promise<Passkey>
  signInOptions(): Promise<{ options: WebAuthnJson; challenge: string }>
  /** Which passkey a response speaks of. Refuses `malformed`. */
  idOf(response: WebAuthnJson): string
  /** The authenticator's new counter. Refuses `wrong_credentials`. */
  verify(attempt: { challenge: string; response: WebAuthnJson; passkey: Passkey }): Promise<number>
}

const base64url = z
  .string()
  .max(64 * 1024)
  .regex(/^[A-Za-z0-9_-]*$/)
const common = { id: base64url.max(1400), rawId: base64url.max(1400), type: z.literal('public-key') }
const Registration = z.object({ ...common, response: z.object({ clientDataJSON: base64url, attestationObject: base64url }) })
const Assertion = z.object({
  ...common,
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url, userHandle: base64url.optional() }),
})
const LeakedSecret = z.object({ clientExtensionResults: z.object({ prf: z.object({ results: z.unknown() }) }) })

/** EdDSA, ES256, RS256: what authenticators in use offer. */
const ALGORITHMS = [-8, -7, -257]

export function createPasskeys({ name, origins }: { name: string; origins: Origins }): Passkeys {
  const rpID = () => new URL(origins.own()).hostname
  const expected = () => ({ expectedOrigin: [...origins.all()], expectedRPID: rpID(), requireUserVerification: true })
  return {
    async registrationOptions({ account, handle, known }) {
      const { generateRegistrationOptions } = await webAuthn()
      const options = await generateRegistrationOptions({
        rpName: name,
        rpID: rpID(),
        userName: handle,
        userDisplayName: handle,
        userID: fromBase64Url(account) ?? new Uint8Array(),
        attestationType: 'none',
        excludeCredentials: known.map((id) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      })
      return { options: asJson(options), challenge: options.challenge }
    },
    async register({ challenge, response }) {
      const parsed = parse(Registration, response)
      const { verifyRegistrationResponse } = await webAuthn()
      return orWrong(async () => {
        const proof = await verifyRegistrationResponse({
          ...expected(),
          expectedChallenge: challenge,
          response: { ...parsed, clientExtensionResults: {} },
          supportedAlgorithmIDs: ALGORITHMS,
        })
        return proof.verified ? proof.registrationInfo.credential : undefined
      })
    },
    async signInOptions() {
      const { generateAuthenticationOptions } = await webAuthn()
      const options = await generateAuthenticationOptions({ rpID: rpID(), userVerification: 'required' })
      return { options: asJson(options), challenge: options.challenge }
    },
    idOf: (response) => parse(Assertion, response).id,
    async verify({ challenge, response, passkey }) {
      const { response: parts, ...rest } = parse(Assertion, response)
      const { userHandle, ...signed } = parts
      const { verifyAuthenticationResponse } = await webAuthn()
      return orWrong(async () => {
        const proof = await verifyAuthenticationResponse({
          ...expected(),
          expectedChallenge: challenge,
          response: { ...rest, clientExtensionResults: {}, response: { ...signed, ...(userHandle !== undefined && { userHandle }) } },
          credential: { id: passkey.id, publicKey: new Uint8Array(passkey.publicKey), counter: passkey.counter },
        })
        return proof.verified ? proof.authenticationInfo.newCounter : undefined
      })
    },
  }
}

/** Options as JSON has them: without fields that are undefined. */
const asJson = (options: object): WebAuthnJson => WebAuthnJson.parse(JSON.parse(JSON.stringify(options)))

function parse<S extends z.ZodType>(schema: S, response: WebAuthnJson): z.output<S> {
  if (LeakedSecret.safeParse(response).success) throw new Refusal('malformed', { field: 'response.clientExtensionResults.prf.results' })
  const parsed = schema.safeParse(response)
  if (parsed.success) return parsed.data
  throw new Refusal('malformed', { field: 'response' })
}

/** The library throws for a wrong origin, host name, challenge, signature or counter (B-041): one answer for all. */
async function orWrong<T>(work: () => Promise<T | undefined>): Promise<T> {
  const result = await work().catch(() => undefined)
  if (result === undefined) throw new Refusal('wrong_credentials')
  return result
}
