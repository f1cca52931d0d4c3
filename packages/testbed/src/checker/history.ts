/**
 * The history of a run, one JSON object a line: what devices tried and were told, then what is really in the database.
 * Whatever drives a run writes it, the checker reads it. Nothing here knows the product.
 */

/**
 * What a device did. `send`: offers a message or proposal; `commit`: a commit. `recv`: an entry was processed and durably kept, for
 * the first time (`ok`), or could not be opened (`fail`). `ack`: the server was told so. `join`: the device reads what follows `seq`.
 * `leave`: `seq` is the last it reads. `alarm`: the device shows that the server lies.
 */
export interface Operation {
  /** Milliseconds of one monotonic clock for all processes. */
  readonly t: number
  readonly proc: string
  readonly device: string
  readonly op: 'send' | 'recv' | 'commit' | 'ack' | 'join' | 'leave' | 'alarm'
  /** `fail`: refused for good. `info`: unknown whether it happened. */
  readonly phase: 'invoke' | 'ok' | 'fail' | 'info'
  readonly conv: string
  readonly message_id?: string
  readonly client_seq?: number
  readonly seq?: number
  /** SHA-256 of the entry's bytes, in hex. */
  readonly hash?: string
  readonly epoch?: number
  /** The device's transcript hash H at `seq`, in hex. */
  readonly transcript?: string
  /** At a join: whose device it is. */
  readonly account?: string
}

/** An entry as it stands in the database at the end. */
export interface LogLine {
  readonly op: 'log'
  readonly conv: string
  readonly seq: number
  readonly hash: string
  readonly device: string
  readonly client_seq: number
  readonly epoch: number
  readonly kind: 'message' | 'commit' | 'proposal' | 'nack'
  readonly message_id?: string
}

/** A device's place in a conversation at the end, as the database has it; `outbox`: what the device still has to say. */
export interface FinalLine {
  readonly op: 'final'
  readonly device: string
  readonly conv: string
  readonly cursor: number
  readonly from_seq: number
  readonly to_seq?: number
  readonly outbox: number
}

export type HistoryLine = Operation | LogLine | FinalLine
