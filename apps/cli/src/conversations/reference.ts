/** How a person names a conversation: by its id or the beginning of it, by its title, or by `@handle` of the other person. */
import { CliFailure } from '../failures.ts'

interface Named {
  readonly conversation: string
  readonly title: string
  /** The other person of a direct conversation. */
  readonly peer?: { readonly handle: string }
}

const SHORTEST_PREFIX = 4

/**
 * The one conversation that is meant. A whole id always wins; otherwise everything that fits counts, so that nobody can
 * slip a conversation under a name that is already in use. Throws `CliFailure` when none or several fit.
 */
export function findConversation<C extends Named>(reference: string, conversations: readonly C[]): C {
  const found = conversationThatFits(reference, conversations)
  if (!found) throw new CliFailure('not_found', `There is no conversation “${reference}”.`, advice(reference))
  return found
}

/** The same, undefined when none fits. Throws `CliFailure` when several do. */
export function conversationThatFits<C extends Named>(reference: string, conversations: readonly C[]): C | undefined {
  const exact = conversations.find(({ conversation }) => conversation === reference)
  if (exact) return exact
  const [found, ...others] = conversations.filter((one) => fits(reference, one))
  if (found && others.length > 0)
    throw new CliFailure('ambiguous', `“${reference}” fits several conversations.`, choices([found, ...others]))
  return found
}

export const fitsAny = (reference: string, conversations: readonly Named[]): boolean =>
  conversations.some((one) => one.conversation === reference || fits(reference, one))

/** The beginning of an id that is enough to tell it from the others, at least as long as `findConversation` wants. */
export function shortId(id: string, ids: readonly string[]): string {
  let length = SHORTEST_PREFIX + 2
  while (length < id.length && ids.some((other) => other !== id && other.startsWith(id.slice(0, length)))) length++
  return id.slice(0, length)
}

function fits(reference: string, { conversation, title, peer }: Named): boolean {
  if (reference.startsWith('@')) return peer !== undefined && fold(peer.handle) === fold(reference.slice(1))
  return fold(title) === fold(reference) || (reference.length >= SHORTEST_PREFIX && conversation.startsWith(reference))
}

const fold = (text: string): string => text.normalize('NFC').toLowerCase()

function advice(reference: string): string {
  return reference.startsWith('@') ? `\`tacit direct ${reference.slice(1)}\` starts one.` : 'See `tacit list`.'
}

function choices(among: readonly Named[]): string {
  return `Use one of these ids: ${among.map(({ conversation, title }) => `${conversation} (${title})`).join(', ')}.`
}
