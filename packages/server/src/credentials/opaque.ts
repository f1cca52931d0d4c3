/**
 * Passwords by OPAQUE (RFC 9807): the server learns neither the password nor anything that opens the vault. A handle that
 * nobody has is answered from a decoy that stays the same, so answers do not tell who has an account.
 */
import { client, server } from '@serenity-kit/opaque'
import { Refusal, toBase64Url, type AccountId } from '@tacit/contract'
import type { Secrets } from '../secrets.ts'

export interface PasswordProtocol {
  /** First answer of a registration. Refuses `malformed`. */
  register(claim: { account: AccountId; request: string }): string
  /** Refuses `malformed` for a record that could not be used to sign in later. */
  assertUsable(claim: { account: AccountId; record: string }): void
  /** First answer of a sign-in and what its second step needs. Without a record it is a decoy. Refuses `malformed`. */
  begin(attempt: { handleFolded: string; known: { account: AccountId; record: string } | undefined; request: string }): {
    response: string
    state: string
  }
  /** Whether the device knew the password. */
  finish(attempt: { state: string; request: string }): boolean
}

/** Call after the secrets are open: they wait for the library. */
export function createPasswordProtocol(secrets: Secrets): PasswordProtocol {
  const serverSetup = secrets.opaqueSetup
  const probe = client.startLogin({ password: 'probe' }).startLoginRequest
  const decoy = (handleFolded: string) => toBase64Url(secrets.derive('decoy account', handleFolded).subarray(0, 16))
  const decoyRecord = registerNobody(serverSetup)
  return {
    register: ({ account, request }) =>
      orMalformed(() => server.createRegistrationResponse({ serverSetup, userIdentifier: account, registrationRequest: request }))
        .registrationResponse,
    assertUsable({ account, record }) {
      orMalformed(() => server.startLogin({ serverSetup, userIdentifier: account, registrationRecord: record, startLoginRequest: probe }))
    },
    begin({ handleFolded, known, request }) {
      // Made for everybody: what is done only for those who do not exist tells by its time.
      const nobody = decoy(handleFolded)
      const userIdentifier = known?.account ?? nobody
      const registrationRecord = known?.record ?? decoyRecord
      const begun = orMalformed(() => server.startLogin({ serverSetup, userIdentifier, registrationRecord, startLoginRequest: request }))
      return { response: begun.loginResponse, state: begun.serverLoginState }
    },
    finish({ state, request }) {
      try {
        server.finishLogin({ serverLoginState: state, finishLoginRequest: request })
        return true
      } catch {
        return false
      }
    },
  }
}

/**
 * A record under a password that nobody knows. The library has a decoy of its own (RFC 9807 section 10.9), but making that one
 * takes less time than reading a record.
 */
function registerNobody(serverSetup: string): string {
  const password = server.createSetup()
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password })
  const { registrationResponse } = server.createRegistrationResponse({ serverSetup, userIdentifier: 'nobody', registrationRequest })
  const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } }
  return client.finishRegistration({ password, registrationResponse, clientRegistrationState, keyStretching }).registrationRecord
}

/** The library throws for bytes that are no group element, the identity among them (B-042). */
function orMalformed<T>(work: () => T): T {
  try {
    return work()
  } catch {
    throw new Refusal('malformed')
  }
}
