/** What must be true when everything is whole again: nothing waits, everybody has the same, and nothing that was said is gone. */
import { createHash } from 'node:crypto'
import type { SimulatedDatabase, SimulatedStatement } from '../disk/sqlite-database.ts'
import type { SimDevice } from './sim-device.ts'
import type { Finding, SimWorld } from './sim-world.ts'
import type { Written } from './workload.ts'

/** What the server has committed: where each log ends, and up to where each active member said that it has it. */
export interface Positions {
  readonly heads: ReadonlyMap<string, number>
  /** Devices whose cursor is not at the head yet. */
  readonly behind: ReadonlySet<string>
}

/** Whether a device is at the end of everything it reads, has said so, and has nothing left to say. */
export function isSettled(device: SimDevice, { heads, behind: unacknowledged }: Positions): boolean {
  const { database } = device
  if (unacknowledged.has(device.device)) return false
  if (!database || device.messenger.watch('connection').get().kind !== 'online') return false
  if (countOf(database, 'select count(*) as n from outbox where failed is null') > 0) return false
  if (countOf(database, 'select count(*) as n from sealed') > 0) return false
  const behind = database
    .look("select conversation, cursor from conversation where standing not in ('left', 'removed')")
    .all()
    .some((row) => row['cursor'] !== heads.get(String(row['conversation'])))
  return !behind && countOf(database, "select count(*) as n from conversation where standing in ('joining', 'paused')") === 0
}

export function positionsOn(server: SimulatedDatabase): Positions {
  const rows = server.look('SELECT conversation, head FROM log').all()
  const late = server
    .look('SELECT device FROM membership JOIN log ON log.conversation = membership.conversation WHERE cursor < coalesce(to_seq, head)')
    .all()
  return {
    heads: new Map(rows.map((row) => [String(row['conversation']), Number(row['head'])])),
    behind: new Set(late.map((row) => String(row['device']))),
  }
}

/** Why a device is not settled, for whoever looks into it. */
export function whatWaits(device: SimDevice, { heads, behind }: Positions): string {
  const { database } = device
  if (!database) return `${device.name} does not run`
  const rows = database.look('select conversation, standing, stuck, cursor, epoch from conversation').all()
  const places = rows.map(
    (row) =>
      `${String(row['conversation']).slice(0, 4)} ${String(row['standing'])} ${String(row['cursor'])}/${heads.get(String(row['conversation']))}`,
  )
  const outbox = countOf(database, 'select count(*) as n from outbox where failed is null')
  const sealed = database
    .look('select conversation, kind from sealed')
    .all()
    .map((row) => String(row['kind']))
  const { kind } = device.messenger.watch('connection').get()
  return `${device.name} ${kind}${behind.has(device.device) ? ' (unacknowledged)' : ''}, outbox ${outbox}, sealed [${sealed.join(' ')}], ${places.join(', ')}`
}

/** How many messages devices show, and how many entries they could not read: entitled to them, or for a reason that the rules allow. */
export interface Legibility {
  readonly read: number
  readonly undecryptable: number
  readonly excused: number
}

/** D-18 as a figure, over all devices that nobody lied to. */
export function legibilityOf({ devices, victim, recorder }: SimWorld): Legibility {
  const sum = { read: 0, undecryptable: 0, excused: 0 }
  for (const device of devices) {
    if (device === victim) continue
    for (const { kind, detail } of device.database?.look("select kind, detail from item where kind in ('message', 'unreadable')").all() ??
      []) {
      if (kind === 'message') sum.read += 1
      else if (device.wentBack || recorder.isExcused(device, String(detail))) sum.excused += 1
      else sum.undecryptable += 1
    }
  }
  return sum
}

/** What the devices themselves show in the end. A device that was lied to or went back may miss something, if it says so. */
export function* judgeDevices(world: SimWorld, written: readonly Written[]): Generator<Finding> {
  for (const device of world.devices) {
    yield* judgeTimeline(device, world)
    if (!device.wentBack) yield* judgeWritten(device, written)
  }
  yield* judgeAgreement(world)
}

/** D-18, and each text once and in its writer's order. */
function* judgeTimeline(device: SimDevice, { victim, devices, recorder }: SimWorld): Generator<Finding> {
  const excused = device === victim || device.wentBack
  // Whoever was lied to, or says again what it had said, is heard by the others, and they say so.
  const mayAlarm = excused || victim !== undefined || devices.some(({ wentBack }) => wentBack)
  const { database } = device
  if (!database) return
  const items = database.look('select conversation, seq, kind, text, detail from item order by conversation, seq, part').all()
  const last = new Map<string, string>()
  for (const { conversation, seq, kind, text, detail } of items) {
    const place = `${device.name} at ${String(conversation).slice(0, 4)} ${String(seq)}`
    const mayMiss = recorder.isExcused(device, String(detail))
    if (kind === 'unreadable' && !excused && !mayMiss) yield { id: 'D-18', says: `${place} could not read: ${String(detail)}` }
    if (isAlarm(kind, detail) && !mayAlarm) yield { id: 'D-12', says: `${place} says ${String(detail)}` }
    if (kind !== 'message' || typeof text !== 'string') continue
    const [writer = '', number = ''] = text.split(' ')
    // What it had forgotten to have said it says again, and shows where it is now; the others know it and leave it where it was.
    if (device.wentBack && writer === device.name) continue
    const key = `${String(conversation)} ${writer}`
    if ((last.get(key) ?? '') >= number) yield { id: 'D-5', says: `${place} shows "${text}" after "${writer} ${last.get(key)}"` }
    last.set(key, number)
  }
}

const isAlarm = (kind: unknown, detail: unknown): boolean => kind === 'notice' && String(detail).includes('tampering')

/** D-20: what was written is in the log, or waits, or failed for everybody to see. */
function* judgeWritten(device: SimDevice, written: readonly Written[]): Generator<Finding> {
  const { database } = device
  if (!database) return
  const rows = [
    ...database.look('select message from item where message is not null').all(),
    ...database.look('select message from outbox').all(),
  ]
  const known = new Set(rows.map((row) => row['message']))
  for (const { message, text, device: writer } of written)
    if (writer === device && !known.has(message)) yield { id: 'D-20', says: `"${text}" is nowhere on the device that wrote it` }
}

/** Whoever is in a conversation has the same epoch, the same members and the same transcript as the others there, or says that it has not. */
function* judgeAgreement({ devices, victim }: SimWorld): Generator<Finding> {
  const isUnsound = (device: SimDevice): boolean => device === victim || device.wentBack
  const seen = new Map<string, Stand>()
  for (const device of [...devices].sort((one, other) => Number(isUnsound(one)) - Number(isUnsound(other)))) {
    const { name, database } = device
    if (!database) continue
    for (const row of database.look("select conversation, epoch, cursor, transcript from conversation where standing = 'active'").all()) {
      const conversation = String(row['conversation'])
      const here = { name, ...standIn(database, row) }
      const other = seen.get(conversation)
      if (!other) seen.set(conversation, here)
      else if (isUnsound(device) && (here.cursor !== other.cursor || hasAlarm(database, conversation))) continue
      else if (differ(other, here))
        yield { id: 'D-12', says: `${conversation.slice(0, 4)}: ${other.name} has ${saying(other)}; ${name} has ${saying(here)}` }
    }
  }
}

interface Stand {
  readonly name: string
  readonly state: string
  readonly cursor: number
  /** Empty while the device does not know it. */
  readonly transcript: string
}

const differ = (one: Stand, other: Stand): boolean =>
  one.state !== other.state || (one.transcript !== '' && other.transcript !== '' && one.transcript !== other.transcript)

const saying = ({ state, transcript }: Stand): string => `${state}, transcript ${transcript.slice(0, 8)}`

function standIn(database: SimulatedDatabase, row: ReturnType<SimulatedStatement['all']>[number]): Omit<Stand, 'name'> {
  const { conversation = null, epoch, cursor, transcript } = row
  const members = database.look('select device from member where conversation = ? order by device').all(conversation)
  const roster = createHash('sha256')
    .update(members.map((member) => String(member['device'])).join())
    .digest('hex')
  const state = `epoch ${String(epoch)}, cursor ${String(cursor)}, roster ${roster.slice(0, 8)}`
  return { state, cursor: Number(cursor), transcript: transcript instanceof Uint8Array ? Buffer.from(transcript).toString('hex') : '' }
}

function hasAlarm(database: SimulatedDatabase, conversation: string): boolean {
  const items = database.look('select kind, detail from item where conversation = ?').all(conversation)
  return items.some(({ kind, detail }) => kind === 'unreadable' || isAlarm(kind, detail))
}

/** How much of a conversation a device has still to say, failed messages aside: those are shown. */
export function unsaidOf(device: SimDevice, conversation: string): number {
  const { database } = device
  if (!database) return 0
  const sql =
    'select (select count(*) from outbox where conversation = ?1 and failed is null) + (select count(*) from sealed where conversation = ?1) as n'
  return Number(database.look(sql).get(conversation)?.['n'] ?? 0)
}

const countOf = (database: SimulatedDatabase, sql: string): number => Number(database.look(sql).get()?.['n'] ?? 0)
