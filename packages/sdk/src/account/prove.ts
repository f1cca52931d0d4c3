/** Proving again who is there, before something that a device left unlocked should not do alone. Counts for two minutes and this session. */
import { Refusal, routes, type ChallengeId, type ProofMethod, type WebAuthnJson } from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import { startLogin } from './password.ts'

/** How the account can prove itself, and how many seconds the last proof still counts. */
export const proofState = (session: Session): Promise<{ readonly methods: readonly ProofMethod[]; readonly provedFor: number }> =>
  session.call(routes.sessions.proof, {})

/** Rejects with `wrong_credentials`. */
export async function proveByPassword(session: Session, password: string): Promise<void> {
  const login = await startLogin(password)
  const start = { startLoginRequest: login.startLoginRequest }
  const { challenge, loginResponse } = await session.call(routes.sessions.startPasswordProof, { body: start })
  const finished = login.finish(loginResponse)
  if (!finished) throw new Refusal('wrong_credentials')
  finished.exportKey.fill(0)
  const { finishLoginRequest } = finished
  await session.call(routes.sessions.finishPasswordProof, { body: { challenge, finishLoginRequest } })
}

/** First half; the ceremony itself needs a page. */
export const beginPasskeyProof = (session: Session): Promise<{ readonly challenge: ChallengeId; readonly options: WebAuthnJson }> =>
  session.call(routes.sessions.startPasskeyProof, { body: {} })

/** Second half. Rejects with `wrong_credentials`. */
export async function finishPasskeyProof(session: Session, done: { challenge: ChallengeId; response: WebAuthnJson }): Promise<void> {
  await session.call(routes.sessions.finishPasskeyProof, { body: done })
}
