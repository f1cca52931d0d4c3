/**
 * The named points at which a server process dies (F-02). Production code knows nothing of them: a line is put beside an anchor
 * while the module is loaded (hooks/replacements.ts), and whoever moves the anchor is told.
 */
import { REPLACEMENTS_VARIABLE, type Replacement } from '../hooks/replacements.ts'

export interface DeathPoint {
  readonly name: string
  readonly file: string
  readonly anchor: string
  readonly side: 'before' | 'after'
  /** It is passed so often, about, before it is deadly: once per entry, or once per change of a group. */
  readonly passed: 'often' | 'rarely'
  /** What must hold for a passing to count. */
  readonly when?: string
}

const AFTER_VARIABLE = 'TACIT_DIE_AFTER'

const server = 'packages/server/src'
const insert = '    this.#statements.insert.run(++this.#last, conversation, seq, epoch, kind, sender, clientSeq, time, hash, bytes)'
const commit = "        this.#writer.exec('COMMIT')"
const announce = '    announceAppended(deps, entry, appended)\n    return appended'
const welcomes = '  if (welcomes.length > 0) await store.addWelcomes(tx, welcomes)'

/** On SQLite, where everything of an append happens in this process. */
export const deathPoints: readonly DeathPoint[] = [
  { name: 'before the insert', file: 'delivery/sqlite.store.ts', anchor: insert, side: 'before', passed: 'often' },
  { name: 'after the insert', file: 'delivery/sqlite.store.ts', anchor: insert, side: 'after', passed: 'often' },
  { name: 'before COMMIT', file: 'storage/sqlite/sqlite-database.ts', anchor: commit, side: 'before', passed: 'often' },
  { name: 'after COMMIT', file: 'storage/sqlite/sqlite-database.ts', anchor: commit, side: 'after', passed: 'often' },
  { name: 'before the doorbell', file: 'delivery/accept-message.ts', anchor: announce, side: 'before', passed: 'often' },
  {
    name: 'before the answer',
    file: 'delivery/accept-message.ts',
    anchor: "  bus.ring({ kind: 'log', conversation, head: seq })",
    side: 'after',
    passed: 'often',
  },
  {
    name: 'after the answer',
    file: 'gateway/socket-session.ts',
    anchor: '        socket.send(encodeAccepted<N>({ ref, name, result }))',
    side: 'after',
    passed: 'often',
  },
  {
    name: 'before a cursor is written',
    file: 'delivery/sqlite.store.ts',
    anchor: '        if (Number(advance.run(conversation, device, seq).changes) === 0) this.#deps.hears.onCursorBack()',
    side: 'before',
    passed: 'often',
  },
  {
    name: 'before a Welcome is written',
    file: 'conversations/accept-commit.ts',
    anchor: welcomes,
    side: 'before',
    passed: 'rarely',
    when: 'welcomes.length > 0',
  },
  {
    name: 'after a Welcome is written',
    file: 'conversations/accept-commit.ts',
    anchor: welcomes,
    side: 'after',
    passed: 'rarely',
    when: 'welcomes.length > 0',
  },
  {
    name: 'before the answer to a commit',
    file: 'conversations/accept-commit.ts',
    anchor: '      deps.groups.keep(committing.body.conversation, verified.next)',
    side: 'before',
    passed: 'rarely',
  },
].map((point) => ({ ...point, file: `${server}/${point.file}` }) as DeathPoint)

export function asReplacement({ file, anchor, side, when = 'true' }: DeathPoint): Replacement {
  const deadly = `if ((${when}) && (globalThis.passedHere = (globalThis.passedHere ?? 0) + 1) >= Number(process.env.${AFTER_VARIABLE})) process.kill(process.pid, 'SIGKILL');`
  // An answer is not reached after its `return`, and TypeScript that is only stripped may say what it likes of globals.
  const text = side === 'before' ? `${deadly}\n${anchor}` : `${anchor}\n${deadly}`
  return { file, anchor, text }
}

/** What a server's environment says so that it dies there, at the so-manyth time; without a point: so that it lives. */
export function dyingAt(point?: DeathPoint, after = 1): Readonly<Record<string, string>> {
  return { [REPLACEMENTS_VARIABLE]: JSON.stringify(point ? [asReplacement(point)] : []), [AFTER_VARIABLE]: String(after) }
}
