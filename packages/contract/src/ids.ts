/**
 * Identifiers. Each is 16 random bytes, written as 22 base64url characters, minted by whoever makes the thing. A brand
 * keeps an account id from being offered as a device id (attack M-07).
 */
import { z } from 'zod'

const ID_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/

const id = (what: string) => z.string().regex(ID_PATTERN, `expected ${what}: 22 base64url characters`)

export const AccountId = id('an account id').brand<'AccountId'>()
export const DeviceId = id('a device id').brand<'DeviceId'>()
export const ConversationId = id('a conversation id').brand<'ConversationId'>()
export const SessionId = id('a session id').brand<'SessionId'>()
export const ChallengeId = id('a challenge id').brand<'ChallengeId'>()
export const WelcomeId = id('a welcome id').brand<'WelcomeId'>()
export const MessageId = id('a message id').brand<'MessageId'>()
/** A way to open the vault: a sign-in method, a kit, or a device (then it is the device's id). */
export const UnlockId = id('an unlock method id').brand<'UnlockId'>()

export type AccountId = z.output<typeof AccountId>
export type DeviceId = z.output<typeof DeviceId>
export type ConversationId = z.output<typeof ConversationId>
export type SessionId = z.output<typeof SessionId>
export type ChallengeId = z.output<typeof ChallengeId>
export type WelcomeId = z.output<typeof WelcomeId>
export type MessageId = z.output<typeof MessageId>
export type UnlockId = z.output<typeof UnlockId>
