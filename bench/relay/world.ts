/**
 * A data folder with many people, a few in each conversation, mostly one device each. Rows are written as sign-up and the first
 * commit would leave them, because ten thousand real sign-ups would measure OPAQUE and not the relay.
 */
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConversationId, DeviceId } from '@tacit/contract'
import { openHouse, settingsWith } from '@tacit/server'

export interface BenchDevice {
  readonly device: DeviceId
  readonly token: string
  readonly conversation: ConversationId
  /** An IPv4 address that nobody else has. */
  readonly address: string
}

const id = (): string => randomBytes(16).toString('base64url')
const A_DAY = 86_400_000

export interface WorldSize {
  readonly count: number
  /** How many consecutive devices share a conversation; from the first one on, the last size for all the rest. Two unless given. */
  readonly together?: readonly number[]
  /** So many devices, the last ones, are of one account; all others have one each. */
  readonly ofOneAccount?: number
}

/** Makes the folder's database and secrets. Every conversation is at epoch 1, with an empty log. */
export async function makeWorld({ folder, ...size }: WorldSize & { folder: string }): Promise<BenchDevice[]> {
  const house = await openHouse(settingsWith({ dataDir: folder, port: 0, metricsPort: 0, logLevel: 'silent' }))
  await house.close()
  const sqlite = new DatabaseSync(join(folder, 'tacit.sqlite'))
  sqlite.exec('BEGIN')
  const people = addPeople(sqlite, size)
  sqlite.exec('COMMIT')
  sqlite.close()
  return people
}

function addPeople(sqlite: DatabaseSync, { count, together = [2], ofOneAccount = 0 }: WorldSize): BenchDevice[] {
  const people: BenchDevice[] = []
  const now = Date.now()
  const sizes = [...together]
  let [room, conversation] = [0, ConversationId.parse(id())]
  let account = id()
  for (let at = 0; at < count; at++) {
    const [device, token] = [DeviceId.parse(id()), randomBytes(32).toString('base64url')]
    const access_hash = createHash('sha256').update(token).digest()
    const expiry = { access_expires_at: now + A_DAY, refresh_hash: randomBytes(32), refresh_expires_at: now + A_DAY }
    if (at === 0 || at <= count - ofOneAccount) {
      account = id()
      const name = `bench${at}`
      const names = { handle: name, handle_folded: name, handle_skeleton: name }
      insert(sqlite, 'account', { id: account, ...names, shares_presence: 0, created_at: now })
    }
    insert(sqlite, 'device', { id: device, account, signature_key: randomBytes(32), added_at: now })
    insert(sqlite, 'session', {
      id: id(),
      account,
      device,
      method: 'password',
      used: 1,
      access_hash,
      ...expiry,
      created_at: now,
      last_used_at: now,
    })
    if (room === 0) {
      room = (sizes.length > 1 ? sizes.shift() : sizes[0]) ?? 2
      conversation = ConversationId.parse(id())
      insert(sqlite, 'conversation', { id: conversation, kind: 'group', created_at: now })
      insert(sqlite, 'log', { conversation, epoch: 1, head: 0 })
    }
    insert(sqlite, 'membership', { conversation, device, account, from_seq: 0, cursor: 0, client_seq: 0 })
    people.push({ device, token, conversation, address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}` })
    room -= 1
  }
  return people
}

function insert(sqlite: DatabaseSync, table: string, row: Record<string, string | number | Uint8Array>): void {
  const columns = Object.keys(row)
  const statement = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
  sqlite.prepare(statement).run(...Object.values(row))
}
