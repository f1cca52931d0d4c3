/**
 * The floor: a bare `ws` server, by the first byte of what it gets. `echo` comes back, `forAll` goes to everybody else as well.
 * `keep` is the least that is still a relay: in a SQLite file in the given folder, all of a turn in one transaction, on the disk
 * (synchronous=FULL) before its sender hears of it and the others in its room have it. No identity, no order, no repeats.
 */
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { WebSocketServer, type WebSocket } from 'ws'
import { floorKind } from './talk.ts'

interface Waiting {
  readonly sender: WebSocket
  readonly room: string
  readonly data: Buffer
}

const rooms = new Map<string, Set<WebSocket>>()
const corks = new Map<WebSocket, { cork(): void; uncork(): void }>()
let waiting: Waiting[] = []
let store: { readonly database: DatabaseSync; readonly insert: StatementSync } | undefined

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket, request) => {
  const room = request.url ?? ''
  rooms.set(room, (rooms.get(room) ?? new Set()).add(socket))
  corks.set(socket, request.socket)
  socket.on('message', (data) => {
    if (!Buffer.isBuffer(data)) return
    if (data[0] === floorKind.keep) {
      if (waiting.push({ sender: socket, room, data }) === 1) setImmediate(commit)
      return
    }
    socket.send(data)
    if (data[0] === floorKind.forAll) for (const other of server.clients) if (other !== socket) other.send(data)
  })
})
server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${address.port}` })
})
process.once('disconnect', () => process.exit())

function commit(): void {
  const batch = waiting
  waiting = []
  store ??= openStore()
  store.database.exec('BEGIN')
  for (const { room, data } of batch) store.insert.run(room, Date.now(), data)
  store.database.exec('COMMIT')
  const written = new Set<WebSocket>()
  for (const { sender, room, data } of batch) {
    const answer = Buffer.from(data.subarray(0, 5))
    answer[0] = floorKind.kept
    write(sender, answer, written)
    for (const other of rooms.get(room) ?? []) if (other !== sender) write(other, data, written)
  }
  for (const socket of written) corks.get(socket)?.uncork()
}

/** What a commit has for one socket leaves in one piece. */
function write(socket: WebSocket, data: Buffer, written: Set<WebSocket>): void {
  if (!written.has(socket)) corks.get(socket)?.cork()
  written.add(socket)
  socket.send(data)
}

function openStore(): NonNullable<typeof store> {
  const database = new DatabaseSync(join(process.argv[2] ?? '', 'floor.sqlite'))
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 8000']) database.exec(`PRAGMA ${pragma}`)
  database.exec(
    'CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, room TEXT NOT NULL, time INTEGER NOT NULL, bytes BLOB NOT NULL)',
  )
  return { database, insert: database.prepare('INSERT INTO message (room, time, bytes) VALUES (?, ?, ?)') }
}
