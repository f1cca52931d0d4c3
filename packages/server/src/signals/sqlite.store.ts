/** Keeping signals on SQLite: in the group commit, with the messages. */
import type { SqliteConnection, SqliteStatement } from '../storage/sqlite/engine.ts'
import type { GroupCommit } from '../storage/sqlite/group-commit.ts'
import type { NewKeptSignal, SignalStore } from './signals.store.ts'

export class SqliteSignalStore implements SignalStore {
  readonly #groupCommit: GroupCommit
  #statement: SqliteStatement | undefined

  constructor(groupCommit: GroupCommit) {
    this.#groupCommit = groupCommit
  }

  keep(take: () => readonly NewKeptSignal[]): Promise<void> {
    return this.#groupCommit.submitUnhurried(({ sqlite }) => {
      const statement = this.#keepOn(sqlite)
      for (const { conversation, sender, epoch, bytes } of take()) statement.run(conversation, sender, epoch, bytes)
    })
  }

  #keepOn(sqlite: SqliteConnection): SqliteStatement {
    return (this.#statement ??= sqlite.prepare(
      `INSERT INTO kept_signal (conversation, device, epoch, bytes)
       SELECT conversation, device, ?3, ?4 FROM membership WHERE conversation = ?1 AND device = ?2 AND to_seq IS NULL
       ON CONFLICT (conversation, device) DO UPDATE SET epoch = ?3, bytes = ?4`,
    ))
  }
}
