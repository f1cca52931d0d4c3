/**
 * Every refusal that the server can give, by a stable name. HTTP answers carry it as problem+json (RFC 9457) with the
 * status below, socket answers carry name and details. `next` says what the person or program should do.
 */
import { z } from 'zod'

interface FailureEntry {
  readonly status: number
  readonly title: string
  readonly next: string
}

const entry = (status: number, title: string, next: string): FailureEntry => ({ status, title, next })

export const failures = {
  malformed: entry(400, 'The request is not well formed.', 'Check the request against the API reference; sending it again will not help.'),
  handle_not_allowed: entry(
    400,
    'This handle cannot be used.',
    'Choose 3 to 32 letters, digits, dots, dashes or underscores, starting with a letter.',
  ),
  token_in_url: entry(400, 'A token must never be part of a URL.', 'Send it in the Authorization header; treat the token as leaked.'),
  unauthenticated: entry(401, 'You are not signed in.', 'Renew the session, or sign in.'),
  wrong_credentials: entry(401, 'The sign-in did not succeed.', 'Check handle and password, or use another way to sign in.'),
  session_ended: entry(401, 'This session has ended.', 'Sign in again.'),
  origin_refused: entry(403, 'Requests from this website are not allowed.', 'The operator can allow the origin in the settings.'),
  device_needed: entry(403, 'This session has no device yet.', 'Enrol a device first.'),
  proof_needed: entry(
    403,
    'The person has to prove that it is them.',
    'Prove it by password or passkey, then ask again within two minutes.',
  ),
  not_found: entry(404, 'There is nothing here for you.', 'Check the address; it may also be somebody else’s.'),
  method_not_allowed: entry(405, 'This method is not supported here.', 'See the API reference.'),
  timed_out: entry(408, 'The request took too long to arrive.', 'Try again on a better connection.'),
  handle_taken: entry(409, 'This handle is taken, or too similar to one that is.', 'Choose another one.'),
  stale_epoch: entry(409, 'The conversation has moved on.', 'Catch up to the head given, then seal again.'),
  busy: entry(409, 'Another device is committing now.', 'Send the same again after the time given.'),
  out_of_order: entry(409, 'The message counter is not the next one.', 'Continue with the expected number.'),
  version_conflict: entry(409, 'Somebody changed this first.', 'Fetch the current version and apply the change again.'),
  already_exists: entry(409, 'This exists already.', 'Use the existing one.'),
  direct_exists: entry(409, 'You already have a direct conversation.', 'Use the conversation given.'),
  link_used: entry(409, 'This code was used already.', 'Show a new code on the new device.'),
  link_cancelled: entry(409, 'One of the two devices has cancelled.', 'Begin again with a new code.'),
  too_many: entry(409, 'A limit on how many is reached.', 'Remove some first.'),
  archive_full: entry(
    409,
    'The archive of your history is full.',
    'Export it, then erase it in the settings; the devices keep what they have.',
  ),
  not_allowed: entry(403, 'The rules of the conversation do not allow this.', 'Ask an admin of the conversation.'),
  invalid_handshake: entry(
    422,
    'This change does not hold.',
    'A signature, a tree or a reference in it is wrong; catch up and build it again.',
  ),
  invalid_credential: entry(422, 'A device in it is not on its owner’s list.', 'Fetch the device lists, then build it again.'),
  invalid_key_package: entry(422, 'A key package was refused.', 'Make new key packages; this one is not valid.'),
  invalid_device_list: entry(422, 'The device list was refused.', 'It must be signed by the account key and continue the current list.'),
  expired: entry(410, 'This has expired or was used already.', 'Start again.'),
  kit_replaced: entry(410, 'This kit was replaced by another.', 'Use the newer kit, or another way to sign in.'),
  too_large: entry(413, 'Too large.', 'Send less at once.'),
  uri_too_long: entry(414, 'The address is too long.', 'Send a shorter one; bodies carry what is large.'),
  unsupported_media: entry(415, 'Only application/json is accepted here.', 'Set the content type; do not compress the body.'),
  misdirected: entry(421, 'This server does not answer for that host.', 'Check the address.'),
  client_too_old: entry(426, 'This client is too old for the server.', 'Update the client.'),
  unsupported: entry(400, 'The server does not know this command or kind of message.', 'Check the contract version.'),
  rate_limited: entry(429, 'Too many requests.', 'Wait for the time given, then go on.'),
  headers_too_large: entry(431, 'The request headers are too large.', 'Send fewer or shorter headers.'),
  internal: entry(500, 'Something went wrong on the server.', 'Try again; tell the operator the request id if it stays.'),
  unavailable: entry(503, 'The server cannot answer right now.', 'Try again shortly.'),
  storage_full: entry(507, 'The server is short of disk space.', 'The operator has to make room; nothing was lost.'),
} as const satisfies Record<string, FailureEntry>

export type FailureName = keyof typeof failures

export const failureNames = Object.keys(failures) as FailureName[]

/** Facts a refusal may carry; each only where it makes sense. */
export const FailureDetails = z.object({
  /** Seconds to wait (rate_limited, unavailable, busy). */
  retryAfter: z.int().min(0).max(86_400).optional(),
  /** Current epoch and head (stale_epoch). */
  epoch: z.int().min(0).optional(),
  head: z.int().min(0).optional(),
  /** The next client_seq (out_of_order). */
  expected: z.int().min(0).optional(),
  /** The current version (version_conflict). */
  version: z.int().min(0).optional(),
  /** The existing direct conversation (direct_exists). */
  conversation: z.string().max(22).optional(),
  /** When it happened, ms since 1970 (kit_replaced). */
  at: z.int().min(0).optional(),
  /** Which field, as a path (malformed). Never its value. */
  field: z.string().max(200).optional(),
})
export type FailureDetails = z.output<typeof FailureDetails>

/** The body of a refused HTTP request: application/problem+json (RFC 9457). */
export const Problem = z.object({
  type: z.string().max(200),
  title: z.string().max(200),
  status: z.int().min(400).max(599),
  name: z.enum(failureNames),
  next: z.string().max(300),
  requestId: z.string().max(64),
  details: FailureDetails.optional(),
})
export type Problem = z.output<typeof Problem>

/** A refusal on its way through code: thrown by rooms, translated at the door. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly failure: FailureName
  readonly details: FailureDetails
  constructor(failure: FailureName, details: FailureDetails = {}) {
    super(failures[failure].title)
    this.failure = failure
    this.details = details
  }
}
