/**
 * What a person is told when something did not work: one sentence, and what to do about it. The SDK's failures and the
 * client's own have one catalogue each, so that a name without advice does not compile.
 */
import { CommanderError } from 'commander'
import { MessengerError } from '@tacit/sdk'
import type { MessengerFailure } from '@tacit/sdk'
import { exits } from './exits.ts'
import type { Exit } from './exits.ts'

export interface Explanation {
  /** Stable, for scripts. */
  readonly failure: string
  readonly sentence: string
  readonly next: string
  readonly exit: Exit
}

type Advice = readonly [exit: Exit, next: string]

const again = 'Try again in a moment.'
const report = 'This is a defect of the client or the server; please report it.'
const operator = 'Ask the operator of the server.'

const own = {
  usage: [exits.usage, 'See `tacit --help`.'],
  not_found: [exits.notFound, ''],
  ambiguous: [exits.notFound, ''],
  not_imported: [exits.refused, 'Nothing was changed.'],
  profile_in_use: [exits.profile, 'Stop that process, or use another --profile.'],
  profile_not_private: [exits.profile, ''],
  profile_damaged: [exits.profile, ''],
  other_server: [exits.usage, 'Use another --profile for another server.'],
  not_linked: [exits.refused, 'Begin again with a new code.'],
  signed_in_already: [exits.refused, 'Sign out first, or use another --profile.'],
  not_sound: [exits.trust, ''],
  not_yet_sent: [exits.unreachable, 'It is kept and goes out when this profile is next online; do not send it again.'],
  interrupted: [exits.interrupted, ''],
  terminated: [exits.terminated, ''],
} as const satisfies Record<string, Advice>

const advice: Record<MessengerFailure, Advice> = {
  offline: [exits.unreachable, 'Check the network and --server; nothing was lost.'],
  unavailable: [exits.unreachable, again],
  rate_limited: [exits.unreachable, again],
  timed_out: [exits.unreachable, again],
  archive_full: [
    exits.refused,
    'The archive of your history is full. `tacit export` makes a copy, `tacit archive erase` makes room; the devices keep what they have.',
  ],
  storage_full: [exits.unreachable, operator],
  internal: [exits.unexpected, report],
  stale_epoch: [exits.unreachable, again],
  busy: [exits.unreachable, again],
  version_conflict: [exits.unreachable, again],
  invalid_credential: [exits.unreachable, again],
  invalid_handshake: [exits.unexpected, report],
  not_signed_in: [exits.notSignedIn, 'Sign in with `tacit sign-in <handle>`.'],
  unauthenticated: [exits.notSignedIn, 'Sign in with `tacit sign-in <handle>`.'],
  session_ended: [exits.notSignedIn, 'Sign in again with `tacit sign-in <handle>`.'],
  wrong_credentials: [exits.refused, 'Check handle and password.'],
  not_found: [exits.notFound, ''],
  identity_mismatch: [exits.trust, 'Do not go on before you have spoken to the person, or to the operator, by other means.'],
  vault_rolled_back: [
    exits.trust,
    'The server shows an older state of your account than before. Sign in again; ask the operator whether a backup was restored.',
  ],
  kit_replaced: [exits.refused, 'Use the newer kit, or another way to sign in.'],
  kit_unknown: [exits.refused, 'Check that the kit is for this server.'],
  kit_word_unknown: [exits.usage, 'Check that word on the printed page.'],
  kit_incomplete: [exits.usage, 'Type all twelve words, in their order.'],
  kit_mistyped: [exits.usage, 'Compare every word with the printed page.'],
  vault_locked: [exits.trust, 'Sign in with another device or the way that was used before.'],
  handle_taken: [exits.refused, 'Choose another handle.'],
  handle_not_allowed: [exits.refused, 'Choose 3 to 32 letters, digits, dots, dashes or underscores, starting with a letter.'],
  // Only browsers have an app lock.
  locked: [exits.refused, ''],
  wrong_lock_secret: [exits.refused, ''],
  weak_password: [exits.refused, 'Choose a longer one.'],
  not_allowed: [exits.refused, ''],
  direct_exists: [exits.refused, 'Use the existing conversation.'],
  already_exists: [exits.refused, ''],
  too_many: [exits.refused, 'Remove some first.'],
  too_large: [exits.refused, 'Send less at once.'],
  client_too_old: [exits.refused, 'Update the client.'],
  storage: [exits.profile, 'Check that the disk has room and that nothing else uses the profile.'],
  origin_refused: [exits.refused, operator],
  misdirected: [exits.refused, 'Check --server.'],
  expired: [exits.refused, 'Start again.'],
  link_used: [exits.refused, 'Show a new code on the new device.'],
  link_cancelled: [exits.refused, 'Begin again with a new code.'],
  proof_needed: [exits.refused, 'Prove that it is you with your password.'],
  device_needed: [exits.notSignedIn, 'Sign in again with `tacit sign-in <handle>`.'],
  unsupported: [exits.refused, 'Update the client or the server.'],
  passkey_without_prf: [exits.refused, 'Use the web app.'],
  passkey_cancelled: [exits.refused, 'Use the web app.'],
  malformed: [exits.refused, report],
  token_in_url: [exits.refused, report],
  method_not_allowed: [exits.refused, report],
  out_of_order: [exits.refused, report],
  invalid_key_package: [exits.refused, report],
  invalid_device_list: [exits.refused, report],
  unsupported_media: [exits.refused, report],
  headers_too_large: [exits.refused, report],
  uri_too_long: [exits.refused, report],
}

/** A failure of the client itself. The message is a whole sentence; `next` says what to do where the catalogue cannot know. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  readonly failure: keyof typeof own
  readonly next: string
  constructor(failure: keyof typeof own, message: string, next: string = own[failure][1]) {
    super(message)
    this.failure = failure
    this.next = next
  }
}

/** What to say about anything that was thrown, and how to end. */
export function explain(error: unknown): Explanation {
  if (error instanceof CliFailure) {
    return { failure: error.failure, sentence: error.message, next: error.next, exit: own[error.failure][0] }
  }
  if (error instanceof MessengerError) {
    const [exit, next] = advice[error.failure]
    const wait = error.retryAfter === undefined ? next : `Try again in ${error.retryAfter} seconds.`
    return { failure: error.failure, sentence: error.message, next: wait, exit }
  }
  if (error instanceof CommanderError)
    return { failure: 'usage', sentence: asSentence(error.message), next: own.usage[1], exit: exits.usage }
  return { failure: 'unexpected', sentence: `Something unexpected went wrong: ${String(error)}.`, next: report, exit: exits.unexpected }
}

/** Commander writes "error: unknown option '--jsn'\n(Did you mean --json?)". */
function asSentence(message: string): string {
  const words = message.replace(/^error: /, '').replaceAll('\n', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.)]$/.test(words) ? '' : '.'}`
}
