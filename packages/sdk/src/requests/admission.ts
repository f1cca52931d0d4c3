/**
 * Whether this person wants a conversation. Who was brought into one by somebody they never took up is asked first: until they
 * have answered, the others learn nothing of this device (no receipts, no typing, no fresh keys, no repair). Decided on the devices alone, in
 * the vault's part `people`, and from there in the table of conversations.
 *
 * Names of values: `talk/<conversation>` true: taken up, false: declined, LEFT: taken up until this person left · `met/<account>` true: this person has turned to them, or
 * has taken up their direct conversation · `by/<conversation>` the account that brought this one in, while that is to be answered.
 */
import { AccountId, ConversationId, type CborValue } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { id } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { loadNames } from '../messages/people-names.ts'
import { handleOf } from '../vault/contacts.ts'
import { DAY_MS } from '../vault/values.ts'
import { setValue, valueOf } from '../vault/values.store.ts'

/** accepted: a conversation like any other · asked: waits for an answer · declined: not shown, now or later. */
export type Admission = 'accepted' | 'asked' | 'declined'

const ADMISSIONS: readonly Admission[] = ['accepted', 'asked', 'declined']

/** Whoever left of their own will and is brought in again is asked again. */
export const LEFT = 'left'

export const talkOf = (conversation: ConversationId) => `talk/${conversation}`
export const metOf = (account: AccountId) => `met/${account}`
export const byOf = (conversation: ConversationId) => `by/${conversation}`

/** Who notes something of this, and when. */
type Noting = Pick<DeviceCore, 'account' | 'device' | 'clock'>

/** What this person has answered; of a conversation that this device does not know: nothing yet. */
export async function admissionOf(reader: Reader, conversation: ConversationId): Promise<Admission> {
  const row = await reader.get('select admission from conversation where conversation = ?', [conversation])
  return ADMISSIONS.find((known) => known === row?.['admission']) ?? 'asked'
}

export async function isAccepted(reader: Reader, conversation: ConversationId): Promise<boolean> {
  return (await admissionOf(reader, conversation)) === 'accepted'
}

/** Who brought this person in; undefined when no own device saw it. */
export async function broughtBy(reader: Reader, conversation: ConversationId): Promise<AccountId | undefined> {
  return AccountId.safeParse(await valueOf(reader, 'people', byOf(conversation))).data
}

export async function hasMet(reader: Reader, account: AccountId): Promise<boolean> {
  return (await valueOf(reader, 'people', metOf(account))) === true
}

/** This person turns to others: in a conversation they begin, or by bringing somebody into one. Part of the transaction that does it. */
export async function noteTurnedTo(
  writer: Writer,
  noting: Noting,
  { conversation, people }: { readonly conversation: ConversationId; readonly people: readonly AccountId[] },
): Promise<void> {
  const others = people.filter((account) => account !== noting.account)
  await note(writer, noting, { [talkOf(conversation)]: true, ...Object.fromEntries(others.map((account) => [metOf(account), true])) })
}

/** Somebody brought this device in. Part of the transaction that begins the conversation here. */
export async function noteBroughtIn(
  writer: Writer,
  noting: Noting,
  { conversation, by }: { readonly conversation: ConversationId; readonly by: AccountId },
): Promise<void> {
  const said = await valueOf(writer, 'people', talkOf(conversation))
  const asker = await broughtBy(writer, conversation)
  // An own device brings in another one wherever it is, also where nothing is answered yet.
  const isWanted = (await hasMet(writer, by)) || (by === noting.account && asker === undefined)
  if (isWanted) return note(writer, noting, { [talkOf(conversation)]: true })
  if (by === noting.account || typeof said === 'boolean') return undefined
  // By their handle, too: an own device that comes later has not met them.
  const { handle } = (await loadNames(writer))(by)
  const named = handle === '' ? {} : { [handleOf(by)]: handle }
  return note(writer, noting, { [talkOf(conversation)]: undefined, [byOf(conversation)]: by, ...named })
}

async function note(writer: Writer, { device, clock }: Noting, values: Readonly<Record<string, CborValue | undefined>>): Promise<void> {
  const day = Math.floor(clock.now() / DAY_MS)
  for (const [name, value] of Object.entries(values)) await setValue(writer, 'people', { name, value, device, day })
}

/** Makes the table of conversations say what the values say. Resolves with those that were taken up by this. */
export async function settleAdmissions(writer: Writer): Promise<readonly ConversationId[]> {
  const rows = await writer.all('select conversation from conversation')
  const taken: ConversationId[] = []
  for (const row of rows) {
    const conversation = id(row, 'conversation', ConversationId)
    if (await settleAdmission(writer, conversation)) taken.push(conversation)
  }
  return taken
}

/** The same of one. Resolves with whether it was taken up by this. */
export async function settleAdmission(writer: Writer, conversation: ConversationId): Promise<boolean> {
  const row = await writer.get('select peer, admission from conversation where conversation = ?', [conversation])
  if (!row) return false
  const now = await judge(writer, { conversation, peer: AccountId.safeParse(row['peer']).data })
  if (now === row['admission']) return false
  await writer.run('update conversation set admission = ? where conversation = ?', [now, conversation])
  await keepNoDeclinedWords(writer, conversation)
  return now === 'accepted'
}

/** Of a declined conversation no words are kept, whether they came before the answer or after it. In the log the ids of messages have to stay known. */
export async function keepNoDeclinedWords(writer: Writer, conversation: ConversationId): Promise<void> {
  if ((await admissionOf(writer, conversation)) !== 'declined') return
  await writer.run("update item set kind = 'silent', text = null where conversation = ? and kind = 'message'", [conversation])
}

async function judge(
  reader: Reader,
  { conversation, peer }: { readonly conversation: ConversationId; readonly peer: AccountId | undefined },
): Promise<Admission> {
  const said = await valueOf(reader, 'people', talkOf(conversation))
  if (said !== undefined) return said === false ? 'declined' : 'accepted'
  const asker = peer ?? (await broughtBy(reader, conversation))
  return asker && (await hasMet(reader, asker)) ? 'accepted' : 'asked'
}
