/**
 * What this device remembers of the server's log of device lists: the newest head it has verified, heads that others sent and
 * that are not compared yet, which heads it has told whom, and what convicts the server.
 */
import { AccountId, ConversationId, type LogState } from '@tacit/contract'
import { blob, id, integer, optionalText, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { forgetKnownToVault, forgetSeenPart } from '../vault/vault.store.ts'

export interface KnownHead extends LogState {
  readonly key: Uint8Array
  /** As it was signed. */
  readonly bytes: Uint8Array
}

/** A head that came in a message. */
export interface HeardHead {
  readonly position: number
  readonly conversation: ConversationId
  readonly account: AccountId
  readonly head: Uint8Array
}

/**
 * rewritten: the server's head does not continue the one it gave before · split: somebody else was given a head that cannot
 * stand beside ours · not_logged: a device list that was presented is not the one in the log · went_back: the log is an earlier one again,
 * or has grown anew from there.
 */
export type EvidenceKind = 'rewritten' | 'split' | 'not_logged' | 'went_back'

export interface Evidence {
  readonly kind: EvidenceKind
  /** Whose message brought the other head, or whose list it is about. */
  readonly account: AccountId | undefined
  readonly conversation: ConversationId | undefined
  /** Heads as they were signed; the first is the one this device had verified. */
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
  readonly time: number
}

export async function knownHead(reader: Reader): Promise<KnownHead | undefined> {
  const row = await reader.get('select * from key_log', [])
  return row && { key: blob(row, 'key'), size: integer(row, 'size'), root: blob(row, 'root'), bytes: blob(row, 'head') }
}

/** Heads that are remembered besides the newest. */
const MOST_PAST = 256

export async function saveHead(writer: Writer, { key, size, root, bytes }: KnownHead): Promise<void> {
  await writer.run('insert or replace into key_log (id, key, size, root, head) values (1, ?, ?, ?, ?)', [key, size, root, bytes])
  await writer.run('insert or replace into key_log_past (size, root) values (?, ?)', [size, root])
  await writer.run('delete from key_log_past where size not in (select size from key_log_past order by size desc limit ?)', [MOST_PAST])
}

/** Verified heads of logs that were no longer than this, the longest first. */
export async function pastHeads(reader: Reader, size: number): Promise<LogState[]> {
  const rows = await reader.all('select size, root from key_log_past where size <= ? order by size desc', [size])
  return rows.map((row) => ({ size: integer(row, 'size'), root: blob(row, 'root') }))
}

/** The log is that of `size` again. */
export async function noteWentBack(writer: Writer, { size, time }: { readonly size: number; readonly time: number }): Promise<void> {
  await writer.run('delete from key_log_past where size > ?', [size])
  await writer.run('insert into key_log_back (time) values (?)', [time])
  // Everybody is told anew, though the log is shorter; and the vault went back with the log.
  await writer.run('delete from told_head')
  await forgetSeenPart(writer, 'keys')
  await forgetKnownToVault(writer)
}

/** When the log was last found to have gone back. */
export async function wentBackAt(reader: Reader): Promise<number | undefined> {
  const row = await reader.get('select max(time) as time from key_log_back', [])
  return typeof row?.['time'] === 'number' ? row['time'] : undefined
}

export const addHeard = (writer: Writer, heard: Omit<HeardHead, 'position'>): Promise<void> =>
  writer.run('insert into heard_head (conversation, account, head) values (?, ?, ?)', [heard.conversation, heard.account, heard.head])

export async function nextHeard(reader: Reader): Promise<HeardHead | undefined> {
  const row = await reader.get('select * from heard_head order by position limit 1', [])
  if (!row) return undefined
  const account = id(row, 'account', AccountId)
  return { position: integer(row, 'position'), conversation: id(row, 'conversation', ConversationId), account, head: blob(row, 'head') }
}

export const eraseHeard = (writer: Writer, position: number): Promise<void> =>
  writer.run('delete from heard_head where position = ?', [position])

/** Keeps what convicts the server. False when the like is kept already: it is told once per person and conversation. */
export async function addEvidence(writer: Writer, evidence: Evidence): Promise<boolean> {
  const { kind, account, conversation, ours, theirs, time } = evidence
  const [where, who] = [conversation ?? null, account ?? null]
  // What is about nobody in particular is told each time that it happens anew.
  const anew = kind === 'rewritten' || kind === 'went_back'
  const sql = 'select 1 as found from key_log_evidence where kind = ? and conversation is ? and account is ? and (? = 0 or theirs = ?)'
  if (await writer.get(sql, [kind, where, who, anew ? 1 : 0, theirs])) return false
  await writer.run('insert into key_log_evidence (kind, conversation, account, ours, theirs, time) values (?, ?, ?, ?, ?, ?)', [
    kind,
    where,
    who,
    ours,
    theirs,
    time,
  ])
  return true
}

export async function allEvidence(reader: Reader): Promise<Evidence[]> {
  return (await reader.all('select * from key_log_evidence order by position', [])).map(readEvidence)
}

/**
 * The head to send along with the message of a counter: once per conversation, again when it is newer, and again when the very
 * same message has to be sealed anew.
 */
export async function headToTell(
  reader: Reader,
  { conversation, clientSeq }: { readonly conversation: ConversationId; readonly clientSeq: number },
): Promise<KnownHead | undefined> {
  const head = await knownHead(reader)
  const told = await reader.get('select size, client_seq from told_head where conversation = ?', [conversation])
  const isNews = !told || (head !== undefined && head.size > integer(told, 'size')) || integer(told, 'client_seq') === clientSeq
  return isNews ? head : undefined
}

export const noteTold = (
  writer: Writer,
  told: { readonly conversation: ConversationId; readonly size: number; readonly clientSeq: number },
): Promise<void> =>
  writer.run('insert or replace into told_head (conversation, size, client_seq) values (?, ?, ?)', [
    told.conversation,
    told.size,
    told.clientSeq,
  ])

function readEvidence(row: Row): Evidence {
  const [account, conversation] = [optionalText(row, 'account'), optionalText(row, 'conversation')]
  return {
    kind: text(row, 'kind') as EvidenceKind,
    account: account === undefined ? undefined : AccountId.parse(account),
    conversation: conversation === undefined ? undefined : ConversationId.parse(conversation),
    ours: blob(row, 'ours'),
    theirs: blob(row, 'theirs'),
    time: integer(row, 'time'),
  }
}
