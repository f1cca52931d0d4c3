/**
 * The two passkey ceremonies (WebAuthn Level 3), with the PRF extension whose output unlocks the vault. They need the page
 * and a person. The PRF output stays on the device: it is taken out of what goes to the server.
 */
import {
  sendSignal,
  startAuthentication,
  startRegistration,
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
} from '@simplewebauthn/browser'
import { toBase64Url, type WebAuthnJson } from '@tacit/contract'
import { MessengerError } from './api.ts'

export interface PasskeyAnswer {
  /** For `finishPasskeySignUp` or `finishPasskeySignIn`. */
  readonly response: WebAuthnJson
  /** 32 bytes. */
  readonly prf: Uint8Array
}

export function passkeysAreSupported(): boolean {
  return 'PublicKeyCredential' in globalThis
}

/**
 * Makes a passkey. `options` come from `beginPasskeySignUp`. Some authenticators evaluate the PRF only when a passkey is
 * used; then the person is asked a second time. Rejects with `MessengerError`: `passkey_cancelled` or `passkey_without_prf`.
 */
export async function createPasskey(options: WebAuthnJson): Promise<PasskeyAnswer> {
  if (!isCreation(options)) throw new MessengerError('malformed', 'These are no options for a new passkey.')
  const { made, prf } = await make(options, VAULT)
  return { response: plain(made), prf }
}

/** Uses a passkey. `options` come from `beginPasskeySignIn`. Rejects like `createPasskey`. */
export async function usePasskey(options: WebAuthnJson): Promise<PasskeyAnswer> {
  if (!isRequest(options)) throw new MessengerError('malformed', 'These are no options for using a passkey.')
  const used = await use(options, VAULT)
  const prf = prfOf(used)
  if (!prf) throw withoutPrf()
  return { response: plain(used), prf }
}

/**
 * Makes a passkey that opens nothing but the app lock of this browser: no server knows it, and it is not offered for signing in.
 * `name` is what the authenticator shows. Rejects like `createPasskey`.
 */
export async function createLockPasskey({
  name,
}: {
  readonly name: string
}): Promise<{ readonly credential: string; readonly prf: Uint8Array }> {
  const { made, prf } = await make(
    {
      challenge: randomText(),
      rp: { id: location.hostname, name: 'Tacit' },
      user: { id: randomText(), name, displayName: name },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'discouraged', requireResidentKey: false, userVerification: 'required' },
      attestation: 'none',
    },
    LOCK,
  )
  return { credential: made.id, prf }
}

/** The PRF output of a passkey that `createLockPasskey` made. Rejects like `createPasskey`. */
export async function useLockPasskey({ credential }: { readonly credential: string }): Promise<Uint8Array> {
  const allowCredentials = [{ id: credential, type: 'public-key' as const }]
  const used = await use({ challenge: randomText(), rpId: location.hostname, allowCredentials, userVerification: 'required' }, LOCK)
  const prf = prfOf(used)
  if (!prf) throw withoutPrf()
  return prf
}

/** Labels of the PRF inputs, one per purpose. Authenticators bind the output to site and passkey as well. */
const VAULT = 'tacit vault v1'
const LOCK = 'tacit app lock v1'

const randomText = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(32)))

async function make(
  options: PublicKeyCredentialCreationOptionsJSON,
  label: string,
): Promise<{ made: RegistrationResponseJSON; prf: Uint8Array }> {
  const optionsJSON = { ...options, extensions: { ...options.extensions, ...(await prfExtension(label)) } }
  const made = await ceremony(() => startRegistration({ optionsJSON }))
  return { made, prf: prfOf(made) ?? (await prfByUse({ options, made, label })) }
}

async function use(options: PublicKeyCredentialRequestOptionsJSON, label: string): Promise<AuthenticationResponseJSON> {
  const optionsJSON = { ...options, extensions: { ...options.extensions, ...(await prfExtension(label)) } }
  return ceremony(() => startAuthentication({ optionsJSON }))
}

/** The answer to this challenge goes nowhere, so the challenge may come from here. */
async function prfByUse({
  options,
  made,
  label,
}: {
  options: PublicKeyCredentialCreationOptionsJSON
  made: RegistrationResponseJSON
  label: string
}): Promise<Uint8Array> {
  const enabled = made.clientExtensionResults.prf?.enabled
  const used =
    enabled === false
      ? undefined
      : await use(
          {
            challenge: options.challenge,
            ...(options.rp.id === undefined ? {} : { rpId: options.rp.id }),
            allowCredentials: [
              { id: made.id, type: 'public-key', ...(made.response.transports ? { transports: made.response.transports } : {}) },
            ],
            userVerification: 'required',
          },
          label,
        )
  const prf = used && prfOf(used)
  if (prf) return prf
  await forget({ made, rpID: options.rp.id ?? location.hostname })
  throw withoutPrf()
}

/** Best effort: the passkey leads to no account, so it should not be offered. */
async function forget({ made, rpID }: { made: RegistrationResponseJSON; rpID: string }): Promise<void> {
  await sendSignal({ signalName: 'unknownCredential', rpID, credentialID: made.id }).catch(() => undefined)
}

/** The salt is the same for everybody: SHA-256 of the label. */
async function prfExtension(label: string): Promise<{ prf: { eval: { first: ArrayBuffer } } }> {
  return { prf: { eval: { first: await crypto.subtle.digest('SHA-256', new TextEncoder().encode(label)) } } }
}

function prfOf({ clientExtensionResults }: RegistrationResponseJSON | AuthenticationResponseJSON): Uint8Array | undefined {
  const first = clientExtensionResults.prf?.results?.first
  if (!first) return undefined
  const bytes = ArrayBuffer.isView(first) ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength) : new Uint8Array(first)
  return bytes.length === 32 ? bytes.slice() : undefined
}

/** What the server gets: JSON, and nothing of the extensions. */
function plain(answer: RegistrationResponseJSON | AuthenticationResponseJSON): WebAuthnJson {
  const json: WebAuthnJson = JSON.parse(JSON.stringify({ ...answer, clientExtensionResults: {} }))
  return json
}

async function ceremony<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new MessengerError('passkey_cancelled', 'The passkey was not used.', { cause: error })
  }
}

function withoutPrf(): MessengerError {
  return new MessengerError('passkey_without_prf', 'This passkey cannot unlock an encrypted account.')
}

/** Shapes only as far as they are touched here; the browser checks the rest. */
function isCreation(options: object): options is PublicKeyCredentialCreationOptionsJSON {
  return isRequest(options) && hasObject(options, 'rp') && hasObject(options, 'user')
}

function isRequest(options: object): options is PublicKeyCredentialRequestOptionsJSON {
  return 'challenge' in options && typeof options.challenge === 'string'
}

function hasObject(options: object, name: string): boolean {
  return name in options && typeof Object.entries(options).find(([key]) => key === name)?.[1] === 'object'
}
