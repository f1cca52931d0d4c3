/**
 * Signing up and in with a password by OPAQUE (RFC 9807): the server never sees it, and the export key that comes out on
 * this side locks the vault. The library (150 KB of WebAssembly) is loaded when it is needed first.
 */
import { fromBase64Url } from '@tacit/contract'
import { MessengerError } from '../api.ts'

/** NIST SP 800-63B section 5.1.1: length is what counts. */
const SHORTEST = 8

export interface Registration {
  readonly registrationRequest: string
  finish(registrationResponse: string): { readonly registrationRecord: string; readonly exportKey: Uint8Array }
}

export interface Login {
  readonly startLoginRequest: string
  /** Undefined for a wrong password, or for somebody who does not exist. */
  finish(loginResponse: string): { readonly finishLoginRequest: string; readonly exportKey: Uint8Array } | undefined
}

/** Rejects with `weak_password` for one that is too short or is the handle. */
export function mustBeStrong({ password, handle }: { readonly password: string; readonly handle: string }): void {
  if (password.length >= SHORTEST && password.toLowerCase() !== handle.toLowerCase()) return
  throw new MessengerError('weak_password', `Choose a password of at least ${SHORTEST} characters that is not the handle.`)
}

export async function startRegistration(password: string): Promise<Registration> {
  const client = await loadClient()
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password })
  return {
    registrationRequest,
    finish(registrationResponse) {
      const done = client.finishRegistration({ clientRegistrationState, registrationResponse, password })
      return { registrationRecord: done.registrationRecord, exportKey: keyBytes(done.exportKey) }
    },
  }
}

export async function startLogin(password: string): Promise<Login> {
  const client = await loadClient()
  const { clientLoginState, startLoginRequest } = client.startLogin({ password })
  return {
    startLoginRequest,
    finish(loginResponse) {
      const done = client.finishLogin({ clientLoginState, loginResponse, password })
      return done && { finishLoginRequest: done.finishLoginRequest, exportKey: keyBytes(done.exportKey) }
    },
  }
}

async function loadClient() {
  const opaque = await import('@serenity-kit/opaque')
  await opaque.ready
  return opaque.client
}

function keyBytes(text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (!bytes || bytes.length < 32) throw new TypeError('no export key')
  return bytes
}
