/** Which messages are told to whoever listens: not those of blocked people, nor any of a conversation that its person declined. */
import type { ConversationId } from '@tacit/contract'
import type { IncomingMessage } from '../api.ts'
import type { Reader } from '../local-store/driver.ts'
import { admissionOf } from '../requests/admission.ts'
import { blockedAccounts } from '../vault/contacts.ts'

export async function toldMessages(
  reader: Reader,
  conversation: ConversationId,
  messages: readonly IncomingMessage[],
): Promise<readonly IncomingMessage[]> {
  const [blocked, admission] = [await blockedAccounts(reader), await admissionOf(reader, conversation)]
  if (admission === 'declined') return []
  const shown = messages.filter(({ sender }) => !blocked.has(sender.account))
  return admission === 'accepted' ? shown : shown.map((message) => ({ ...message, request: true }))
}
