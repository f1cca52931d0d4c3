/**
 * The hot path's statements on PostgreSQL. Each takes any number of rows as arrays, one element per row, and is prepared
 * once per connection under its name.
 */
import type { ConversationId, DeviceId, EntryKind } from '@tacit/contract'
import type { QueryConfig } from 'pg'
import type { CursorAt, NewEntry, Pair, Position, Range, StoredEntry } from './delivery.store.ts'

/** `place` counts what was asked from 1. */
interface Placed {
  readonly place: number
}

/** What became of the entries, in their order: where each stands, or nothing, with commas between. One row is read sooner than one for each. */
export interface AppendRow {
  readonly seqs: string
}

/** A log, and the sender's place in it; null for a sender who has none. A place that is missing has no log. */
export interface StateRow extends Placed {
  readonly epoch: number
  readonly head: number
  readonly clientSeq: number | null
  readonly toSeq: number | null
}

export type PositionRow = Position & Placed
export type RangeRow = StoredEntry & Placed

const HASH_BYTES = 32

/**
 * Logs are locked in the order of their ids, as everybody locks them, and only then compared. Memberships are read as the
 * statement began: what another server has changed since changed under the log's lock, so either the epoch has moved, and nothing
 * is appended, or the counter has. It is moved only from where it was read: when one was not, the last line divides by zero, which undoes
 * the batch, and it runs again. Of each sender the longest unbroken run is accepted that goes on from its counter.
 */
const APPEND = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::int[], $8::int[])
    WITH ORDINALITY AS w(conversation, sender, epoch, client_seq, kind, "time", start, size, place)
), logs AS MATERIALIZED (
  SELECT conversation, epoch, head FROM log WHERE conversation = ANY($1::text[]) ORDER BY conversation FOR UPDATE
), found AS MATERIALIZED (
  SELECT w.*, logs.epoch AS log_epoch, logs.head, m.client_seq AS counter, m.to_seq
  FROM wanted w
  LEFT JOIN logs ON logs.conversation = w.conversation
  LEFT JOIN membership m ON m.conversation = w.conversation AND m.device = w.sender
), steps AS (
  SELECT *, row_number() OVER (PARTITION BY conversation, sender ORDER BY place) AS step
  FROM found WHERE epoch = log_epoch AND counter < client_seq AND to_seq IS NULL
), runs AS (
  SELECT *, bool_and(client_seq = counter + step) OVER (PARTITION BY conversation, sender ORDER BY place) AS unbroken FROM steps
), accepted AS MATERIALIZED (
  SELECT *, head + row_number() OVER (PARTITION BY conversation ORDER BY place) AS seq FROM runs WHERE unbroken
), written AS (
  INSERT INTO entry (conversation, seq, epoch, kind, sender, client_seq, "time", hash, bytes)
  SELECT conversation, seq, epoch, kind, sender, client_seq, "time",
    substring($9::bytea FROM ((place - 1) * ${HASH_BYTES} + 1)::int FOR ${HASH_BYTES}), substring($10::bytea FROM start FOR size)
  FROM accepted
), grown AS (
  UPDATE log SET head = a.head FROM (SELECT conversation, max(seq) AS head FROM accepted GROUP BY conversation) a
  WHERE log.conversation = a.conversation
), moves AS MATERIALIZED (
  SELECT conversation, sender, counter, max(client_seq) AS last, max(seq) AS seq FROM accepted GROUP BY conversation, sender, counter
), counted AS (
  UPDATE membership m SET client_seq = a.last, last_seq = a.seq FROM moves a
  WHERE m.conversation = a.conversation AND m.device = a.sender AND m.client_seq = a.counter RETURNING 1
)
SELECT string_agg(coalesce(accepted.seq::text, ''), ',' ORDER BY found.place) AS seqs,
  1 / CASE WHEN (SELECT count(*) FROM counted) = (SELECT count(*) FROM moves) THEN 1 ELSE 0 END AS unmoved
FROM found LEFT JOIN accepted ON accepted.place = found.place`
export function append(entries: readonly NewEntry[]): QueryConfig {
  let end = 1
  const starts = entries.map(({ bytes }) => (end += bytes.length) - bytes.length)
  return {
    name: 'append',
    text: APPEND,
    values: [
      listed(entries, ({ conversation }) => conversation),
      listed(entries, ({ sender }) => sender),
      listed(entries, ({ epoch }) => epoch),
      listed(entries, ({ clientSeq }) => clientSeq),
      listed(entries, ({ kind }) => kind),
      listed(entries, ({ time }) => time),
      listed(starts, (start) => start),
      listed(entries, ({ bytes }) => bytes.length),
      // All in one, because a bytea travels as it is, and an array of them as text.
      Buffer.concat(entries.map(({ hash }) => hash)),
      Buffer.concat(entries.map(({ bytes }) => bytes)),
    ],
  }
}

/**
 * Logs and memberships of one moment, read after a batch: what the batch saw of a membership may be older than what it saw of
 * its log, for which it waited, and then an epoch would seem to be over before a message that stands in it.
 */
const STATES = `
SELECT w.place, log.epoch, log.head, m.client_seq AS "clientSeq", m.to_seq AS "toSeq"
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(conversation, sender, place)
JOIN log ON log.conversation = w.conversation
LEFT JOIN membership m ON m.conversation = w.conversation AND m.device = w.sender`

export const states = (entries: readonly Pick<NewEntry, 'conversation' | 'sender'>[]): QueryConfig => ({
  name: 'states',
  text: STATES,
  values: [listed(entries, ({ conversation }) => conversation), listed(entries, ({ sender }) => sender)],
})

/** In the order of their keys, as everybody locks them. */
const ADVANCE = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(conversation, device, seq)
), mine AS MATERIALIZED (
  SELECT m.conversation, m.device, w.seq FROM membership m JOIN wanted w ON w.conversation = m.conversation AND w.device = m.device
  ORDER BY m.conversation, m.device FOR UPDATE OF m
)
UPDATE membership SET cursor = mine.seq FROM mine
WHERE membership.conversation = mine.conversation AND membership.device = mine.device AND membership.cursor < mine.seq
  AND mine.seq <= coalesce(membership.to_seq, (SELECT head FROM log WHERE log.conversation = mine.conversation))`

export const advance = (cursors: readonly CursorAt[]): QueryConfig => ({
  name: 'advance',
  text: ADVANCE,
  values: [...pairsOf(cursors), listed(cursors, ({ seq }) => seq)],
})

const POSITIONS = `
SELECT w.place, m.from_seq AS "fromSeq", m.to_seq AS "toSeq", log.epoch, log.head
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(conversation, device, place)
JOIN membership m ON m.conversation = w.conversation AND m.device = w.device
JOIN log ON log.conversation = w.conversation`

export const positions = (pairs: readonly Pair[]): QueryConfig => ({ name: 'positions', text: POSITIONS, values: pairsOf(pairs) })

/** Whatever comes before an entry fits into its range's room, and into the room for all, so what is read is bounded. */
const RANGES = `
SELECT place, seq, epoch, kind, sender, client_seq AS "clientSeq", "time", bytes
FROM (
  SELECT w.place, e.*, sum(e.size) OVER (ORDER BY w.place, e.seq ROWS UNBOUNDED PRECEDING) - e.size AS read
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    WITH ORDINALITY AS w(conversation, after, until, most, room, place)
  CROSS JOIN LATERAL (
    SELECT page.*, sum(page.size) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - page.size AS before FROM (
      SELECT seq, epoch, kind, sender, client_seq, "time", bytes, octet_length(bytes) AS size FROM entry
      WHERE entry.conversation = w.conversation AND seq > w.after AND seq <= w.until AND bytes IS NOT NULL
      ORDER BY seq LIMIT w.most
    ) page
  ) e
  WHERE e.before < w.room
) found
WHERE read < $6 ORDER BY place, seq`

/** `room`: for all of them together, bytes. */
export const ranges = (wanted: readonly Range[], room: number): QueryConfig => ({
  name: 'ranges',
  text: RANGES,
  values: [
    listed(wanted, ({ conversation }) => conversation),
    listed(wanted, ({ after }) => after),
    listed(wanted, ({ end }) => end),
    listed(wanted, ({ limit }) => limit),
    listed(wanted, ({ bytes }) => bytes),
    room,
  ],
})

const pairsOf = (pairs: readonly Pair[]): [string, string] => [
  listed(pairs, ({ conversation }) => conversation),
  listed(pairs, ({ device }) => device),
]

/**
 * An array as PostgreSQL reads it. The driver would look at each element for what must be quoted, which is most of what it does for a
 * batch; nothing must in numbers, kinds and ids (base64url).
 */
const listed = <Item>(items: readonly Item[], value: (item: Item) => number | EntryKind | ConversationId | DeviceId): string =>
  `{${items.map(value).join(',')}}`
