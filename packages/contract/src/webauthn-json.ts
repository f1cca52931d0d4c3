/** WebAuthn JSON as browsers give and take it (WebAuthn Level 3 section 5.1); checked in depth by the WebAuthn library. */
import { z } from 'zod'

export const WebAuthnJson = z.record(z.string().max(64), z.json()).meta({ description: 'WebAuthn JSON' })
export type WebAuthnJson = z.output<typeof WebAuthnJson>
