/**
 * The MLS state of a group on disk: a snapshot per epoch, and small rows beside it that change with every message.
 * `GroupChanges` gathers what many calls of the engine gave, so that a batch writes each row once.
 */
import { decodeCbor, encodeCbor, type ConversationId } from '@tacit/contract'
import type { Group, LeafIdentity, MlsEngine, Persist, Slot, Snapshot } from '@tacit/mls'
import { checksum } from '../local-store/checksum.ts'
import { blob, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'

/** The snapshot lies beside the rows under a slot name that no engine uses. */
const SNAPSHOT = ''

export class GroupChanges {
  #snapshot: Uint8Array | undefined
  readonly #rows = new Map<string, Uint8Array | undefined>()

  add(persist: Persist): void {
    if (persist.kind === 'snapshot') {
      this.#snapshot = persist.bytes
      this.#rows.clear()
    }
    for (const { slot, bytes } of persist.slots) this.#rows.set(slot, bytes)
  }

  async save(writer: Writer, conversation: ConversationId): Promise<void> {
    const sql = `insert into group_state (conversation, slot, bytes, checksum) values (?, ?, ?, ?)
      on conflict (conversation, slot) do update set bytes = excluded.bytes, checksum = excluded.checksum`
    if (this.#snapshot) {
      await eraseGroup(writer, conversation)
      await writer.run(sql, [conversation, SNAPSHOT, this.#snapshot, sumOf(SNAPSHOT, this.#snapshot)])
    }
    for (const [slot, bytes] of this.#rows) {
      if (bytes) await writer.run(sql, [conversation, slot, bytes, sumOf(slot, bytes)])
      else await writer.run('delete from group_state where conversation = ? and slot = ?', [conversation, slot])
    }
  }
}

export const saveGroup = (writer: Writer, { conversation, persist }: { conversation: ConversationId; persist: Persist }): Promise<void> => {
  const changes = new GroupChanges()
  changes.add(persist)
  return changes.save(writer, conversation)
}

/** A whole group as one value: how the group of a commit lies beside the current one until it is accepted. */
export const packSnapshot = ({ bytes, slots }: Snapshot): Uint8Array<ArrayBuffer> =>
  encodeCbor([bytes, slots.map((row) => [row.slot, row.bytes])])

/** The inverse, for what this device packed. */
export function unpackSnapshot(packed: Uint8Array): Snapshot {
  const value = decodeCbor(packed)
  const [bytes, rows] = Array.isArray(value) ? value : []
  if (!(bytes instanceof Uint8Array) || !Array.isArray(rows)) throw storeError('damaged')
  return { kind: 'snapshot', bytes, slots: rows.map(unpackRow) }
}

function unpackRow(row: unknown): Slot {
  const [slot, bytes] = Array.isArray(row) ? row : []
  if (typeof slot !== 'string' || !(bytes instanceof Uint8Array)) throw storeError('damaged')
  return { slot, bytes }
}

export const eraseGroup = (writer: Writer, conversation: ConversationId): Promise<void> =>
  writer.run('delete from group_state where conversation = ?', [conversation])

/**
 * The group as it was stored; undefined when this device has none for the conversation. Throws `damaged` when the disk has changed a
 * byte of it: with wrong keys a device would go on, and say what nobody can read.
 */
export async function loadGroup(
  reader: Reader,
  parts: { readonly conversation: ConversationId; readonly engine: MlsEngine; readonly identity: LeafIdentity },
): Promise<Group | undefined> {
  const rows = await reader.all('select slot, bytes, checksum from group_state where conversation = ?', [parts.conversation])
  const all = rows.map(soundRow)
  const snapshot = all.find(({ slot }) => slot === SNAPSHOT)
  if (!snapshot) return undefined
  const slots = all.filter(({ slot }) => slot !== SNAPSHOT)
  return parts.engine.restore({ snapshot: snapshot.bytes, slots, identity: parts.identity })
}

function soundRow(row: Row): { slot: string; bytes: Uint8Array<ArrayBuffer> } {
  const [slot, bytes] = [text(row, 'slot'), blob(row, 'bytes')]
  if (row['checksum'] !== null && row['checksum'] !== sumOf(slot, bytes)) throw storeError('damaged')
  return { slot, bytes }
}

const sumOf = (slot: string, bytes: Uint8Array): number => checksum(bytes, checksum(new TextEncoder().encode(slot)))
