/**
 * Linking a device: the new one shows a code, one that is signed in brings it to the server, and the two agree on keys through
 * it. The order is what protects them: the new device is bound to its keys (`commitment`) before the old one shows its own, and
 * shows them only after that. So whoever stands between chooses blindly, and the six digits that both show differ.
 *
 *   new: begin(commitment) -> code · old: claim(code) -> commitment · old: offer(key) · new: reveal(key, nonce)
 *   both show the digits, the person compares · old: approve(sealed) · new: take -> a session
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { AccountId } from './ids.ts'
import { limits } from './limits.ts'
import { SessionTokens, Token } from './sessions.ts'
import { route } from './vocabulary.ts'

/** Crockford's base32 without I, L, O and U, which look like others or make words: 40 bits. */
export const LINK_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const LINK_CODE_LENGTH = 8

export const LinkCode = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{8}$/, 'expected a code of 8 characters')
  .brand<'LinkCode'>()
export type LinkCode = z.output<typeof LinkCode>

const hash = jsonBytes({ min: 32, max: 32 })
const code = z.object({ code: LinkCode })
const seconds = z.int().min(0)

/** X25519 and ML-KEM-768, one after the other. */
const boxKey = jsonBytes({ min: 1216, max: 1216 })

/** What the ticket of a new device shows. */
export const LinkForNew = z.discriminatedUnion('kind', [
  /** Nobody has claimed the code, or whoever did has not shown a key. */
  z.object({ kind: z.literal('waiting') }),
  /** `key` (Ed25519) is what the old device signs with. */
  z.object({ kind: z.literal('offered'), account: AccountId, handle: z.string().max(limits.handleMax), key: hash }),
  z.object({ kind: z.literal('revealed') }),
  z.object({ kind: z.literal('approved'), sealed: jsonBytes({ max: limits.linkBox }) }),
])
export type LinkForNew = z.output<typeof LinkForNew>

/** What the device sees that claimed the code. */
export const LinkForOld = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('waiting') }),
  z.object({ kind: z.literal('revealed'), key: boxKey, nonce: hash }),
  z.object({ kind: z.literal('approved') }),
  /** The new device has its session. */
  z.object({ kind: z.literal('taken') }),
])
export type LinkForOld = z.output<typeof LinkForOld>

const ticket = z.strictObject({ ticket: Token })
const over = ['expired', 'link_used', 'link_cancelled'] as const

export const linking = {
  begin: route({
    method: 'POST',
    path: '/v1/links',
    access: 'anyone',
    summary: 'A new device asks for a code to show, bound to keys that it does not show yet',
    body: z.strictObject({ commitment: hash }),
    result: z.object({ code: LinkCode, ticket: Token, expiresIn: seconds }),
    status: 201,
    failures: [],
  }),
  look: route({
    method: 'POST',
    path: '/v1/links/look',
    access: 'anyone',
    summary: 'How far the link of this ticket is',
    body: ticket,
    result: LinkForNew,
    status: 200,
    failures: over,
  }),
  reveal: route({
    method: 'POST',
    path: '/v1/links/reveal',
    access: 'anyone',
    summary: 'The new device shows the keys that it was bound to, once it has seen the old one’s',
    body: ticket.extend({ key: boxKey, nonce: hash }),
    result: z.null(),
    status: 204,
    failures: over,
  }),
  take: route({
    method: 'POST',
    path: '/v1/links/take',
    access: 'anyone',
    summary: 'The session that was approved, once',
    body: ticket,
    result: SessionTokens,
    status: 201,
    failures: over,
  }),
  giveUp: route({
    method: 'POST',
    path: '/v1/links/give-up',
    access: 'anyone',
    summary: 'The new device cancels',
    body: ticket,
    result: z.null(),
    status: 204,
    failures: over,
  }),
  claim: route({
    method: 'POST',
    path: '/v1/links/claim',
    access: 'device',
    summary: 'A signed-in device brings the code that a new one shows; nobody else can claim it afterwards',
    body: z.strictObject({ code: LinkCode }),
    result: z.object({ commitment: hash, expiresIn: seconds }),
    status: 200,
    failures: over,
  }),
  offer: route({
    method: 'PUT',
    path: '/v1/links/:code/offer',
    access: 'device',
    summary: 'The device that claimed a code shows the key that it signs with',
    params: code,
    body: z.strictObject({ key: hash }),
    result: z.null(),
    status: 204,
    failures: over,
  }),
  show: route({
    method: 'GET',
    path: '/v1/links/:code',
    access: 'device',
    summary: 'How far the link is that this device claimed',
    params: code,
    result: LinkForOld,
    status: 200,
    failures: over,
  }),
  approve: route({
    method: 'PUT',
    path: '/v1/links/:code/approval',
    access: 'device',
    summary: 'Hands the account to the new device; takes a fresh proof of who is there',
    params: code,
    body: z.strictObject({ sealed: jsonBytes({ min: 1, max: limits.linkBox }) }),
    result: z.null(),
    status: 204,
    failures: [...over, 'proof_needed'],
  }),
  cancel: route({
    method: 'DELETE',
    path: '/v1/links/:code',
    access: 'device',
    summary: 'The device that claimed a code cancels',
    params: code,
    result: z.null(),
    status: 204,
    failures: over,
  }),
}
