import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConversationId } from '@tacit/contract'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { systemClock } from '../clock.ts'
import { createConversation, Device, messageBody } from '../gateway/device.test-support.ts'
import { settingsWith, type Settings } from '../settings.ts'
import { newPlace, type TestPlace } from '../storage/database.test-support.ts'
import { makeBackup } from './backup.ts'
import { restoreBackup } from './restore.ts'
import { verifyBackup } from './verify-backup.ts'

let folder: string
let places: TestPlace[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-backup-'))
  places = []
})
afterEach(async () => {
  for (const place of places) await place.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Somewhere for an installation, on the database of this run. */
async function site(name: string): Promise<Pick<Settings, 'dataDir' | 'database'>> {
  const place = await newPlace({ own: true })
  places.push(place)
  return { dataDir: join(folder, name), database: place.url }
}

const backUp = (at: Partial<Settings>, name = 'backup', withSecrets = true) =>
  makeBackup({ settings: settingsWith(at), clock: systemClock, path: join(folder, name), withSecrets })
const restore = (at: Partial<Settings>, { name = 'backup', replace = false } = {}) =>
  restoreBackup({ settings: settingsWith(at), clock: systemClock, path: join(folder, name), replace })

interface Chat {
  readonly town: Town
  readonly alice: Member
  readonly device: Device
  readonly conversation: ConversationId
}

async function openChat(at: Partial<Settings>): Promise<Chat> {
  const town = await openTown(at)
  const alice = await member(town, 'alice')
  const conversation = await createConversation(town, alice)
  return { town, alice, conversation, device: await Device.online(town, alice) }
}

async function say({ device, conversation }: Chat, from: number, count: number): Promise<void> {
  const sends = Array.from({ length: count }, (_, at) =>
    device.expect('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: from + at })),
  )
  await Promise.all(sends)
}

async function end({ device, town }: Chat): Promise<void> {
  device.socket.terminate()
  await town.close()
}

/** The log as a device reads it that has nothing yet. */
async function readLog(at: Partial<Settings>, { alice, conversation }: Pick<Chat, 'alice' | 'conversation'>, expected: number) {
  const town = await openTown(at)
  const device = await Device.online(town, alice, [{ conversation, seq: 0 }])
  await device.until(() => device.entries(conversation).length >= expected)
  const seqs = device.entries(conversation).map(({ seq }) => seq)
  const me = await town.request('/v1/me', { token: alice.token })
  device.socket.terminate()
  await town.close()
  return { seqs, me: me.status }
}

describe('a backup', () => {
  test('that is made while messages pour in holds at least what was accepted when it began, and is restored elsewhere', async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await say(chat, 1, 100)
    let sent = 100
    let over = false
    const pouring = (async () => {
      for (; !over; sent += 20) await say(chat, sent + 1, 20)
    })()
    const made = await backUp(here)
    over = true
    await pouring
    await end(chat)
    const there = await site('there')
    const { manifest } = await restore(there)
    expect(manifest).toEqual(made)
    expect(made.entries).toBeGreaterThanOrEqual(100)
    expect(made.entries).toBeLessThan(sent)
    const log = await readLog(there, chat, made.entries)
    expect(log).toEqual({ seqs: Array.from({ length: made.entries }, (_, at) => at + 1), me: 200 })
  })

  test('goes into a SQLite file wherever it came from', async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await say(chat, 1, 30)
    await backUp(here)
    await end(chat)
    const there = { dataDir: join(folder, 'there'), database: '' }
    await restore(there)
    expect(await readLog(there, chat, 30)).toMatchObject({ seqs: { length: 30 }, me: 200 })
  })

  test('is not restored over people who are there, unless told; then what was there is kept aside', async () => {
    const [here, there] = [await site('here'), await site('there')]
    const chat = await openChat(here)
    await backUp(here)
    await end(chat)
    const other = await openChat(there)
    await expect(restore(there)).rejects.toThrow('is used by another server')
    await end(other)
    await expect(restore(there)).rejects.toThrow('is not empty: account has rows.')
    expect((await readLog(there, other, 0)).me).toBe(200)
    const { aside } = await restore(there, { replace: true })
    expect((await readLog(there, chat, 0)).me).toBe(200)
    expect(readFileSync(join(aside ?? '', 'secrets.json')).length).toBeGreaterThan(100)
  })

  test('without secrets leaves those of the folder alone, and says so', async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await end(chat)
    expect((await backUp(here, 'backup', false)).secrets).toBe(false)
    const file = readFileSync(join(folder, 'backup')).toString('latin1')
    const { key } = JSON.parse(readFileSync(join(here.dataDir, 'secrets.json'), 'utf8')) as { key: string }
    expect(file).not.toContain(key)
    await restore(here, { replace: true })
    expect((await readLog(here, chat, 0)).me).toBe(200)
  })

  test('is not made of an installation that is damaged', async () => {
    const here = { dataDir: join(folder, 'here'), database: '' }
    const chat = await openChat(here)
    await say(chat, 1, 5)
    await end(chat)
    const sqlite = new DatabaseSync(join(here.dataDir, 'tacit.sqlite'))
    sqlite.exec("UPDATE entry SET bytes = bytes || x'00' WHERE seq = 3")
    sqlite.close()
    await expect(backUp(here)).rejects.toThrow(/No backup was made[^]*Entry 3 of conversation [\w-]{22} is not what its hash says\./)
    expect((await verifyBackup(join(folder, 'backup'))).findings).toEqual([`There is no file ${join(folder, 'backup')}.`])
  })

  test('is made, verified and restored by the operator’s commands', async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await say(chat, 1, 3)
    const there = await site('there')
    const run = (at: Pick<Settings, 'dataDir' | 'database'>, ...args: string[]) =>
      execFileSync(process.execPath, ['-C', 'tacit-source', join(import.meta.dirname, 'main.ts'), ...args], {
        env: { PATH: process.env['PATH'], TACIT_DATA_DIR: at.dataDir, TACIT_DATABASE: at.database },
        encoding: 'utf8',
      })
    expect(run(here, 'backup', join(folder, 'backup'))).toMatch(/1 conversations, 3 entries\.\nWritten and verified: /)
    expect(run(here, 'verify', join(folder, 'backup'))).toMatch(/^entry +3 rows +sha256 [0-9a-f]{64}$[^]*The backup is whole\./m)
    expect(run(there, 'restore', join(folder, 'backup'))).toContain('Restored. Start the server.')
    await end(chat)
    expect((await readLog(there, chat, 3)).seqs).toEqual([1, 2, 3])
  })
})

describe('a backup with one wrong bit (F-32)', () => {
  test('is refused wherever the bit is, and what it changed is said', { timeout: 60_000 }, async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await say(chat, 1, 40)
    await backUp(here)
    await end(chat)
    const whole = readFileSync(join(folder, 'backup'))
    expect((await verifyBackup(join(folder, 'backup'))).findings).toEqual([])
    const said = new Map<string, number>()
    const everywhere = Array.from({ length: 300 }, (_, at) => Math.floor((at * whole.length * 8) / 300) + (at % 8))
    const bits = [...everywhere, bitOfAnEntry(whole)]
    for (const bit of bits) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(join(folder, 'damaged'), damaged)
      const { findings } = await verifyBackup(join(folder, 'damaged'))
      expect(findings, `bit ${bit}`).not.toEqual([])
      for (const finding of findings) said.set(finding.replaceAll(/[\w-]{22}|\d+/g, '_'), 1)
    }
    await expect(restore(await site('there'), { name: 'damaged' })).rejects.toThrow('This backup is damaged, and nothing was changed')
    expect([...said.keys()].toSorted().join('\n')).toContain('Entry _ of conversation _ is not what its hash says.')
    expect([...said.keys()].join('\n')).toContain('has another content than when the backup was made.')
  })

  test('in a message names the message', async () => {
    const here = await site('here')
    const chat = await openChat(here)
    await say(chat, 1, 3)
    await backUp(here)
    await end(chat)
    const sqlite = new DatabaseSync(join(folder, 'backup'))
    sqlite.exec('UPDATE entry SET bytes = zeroblob(9) WHERE seq = 2')
    sqlite.close()
    const { findings } = await verifyBackup(join(folder, 'backup'))
    expect(findings).toEqual([
      'The file was changed since it was made: its checksum is another one.',
      'The table entry has another content than when the backup was made.',
      `Entry 2 of conversation ${chat.conversation} is not what its hash says.`,
    ])
  })
})

/** Where a message lies in the file: bits all over it may all miss the few pages of a short log. */
function bitOfAnEntry(whole: Buffer): number {
  const sqlite = new DatabaseSync(join(folder, 'backup'), { readOnly: true })
  const bytes = sqlite.prepare('SELECT bytes FROM entry WHERE seq = 20').get()?.['bytes']
  sqlite.close()
  if (!(bytes instanceof Uint8Array)) throw new Error('there is no such entry')
  const at = whole.indexOf(bytes)
  expect(at).toBeGreaterThan(0)
  return (at + bytes.length - 1) * 8
}
