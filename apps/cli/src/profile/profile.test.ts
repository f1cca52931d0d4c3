import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProfile } from './profile.ts'
import { isExposed } from './server.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tacit-profile-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const open = (profile: string, server?: string) => openProfile({ profile, home, server, env: {} })
const failing = (failure: string) => expect.objectContaining({ failure })

test('a new profile is a folder for its owner alone', () => {
  using profile = open('alice')
  expect(statSync(join(home, 'alice')).mode & 0o777).toBe(0o700)
  expect(profile.database).toBe(join(home, 'alice', 'device.db'))
})

test('profiles are kept where the desktop keeps data, unless a folder is named', () => {
  using profile = openProfile({ profile: 'alice', env: { XDG_DATA_HOME: home } })
  expect(profile.database).toBe(join(home, 'tacit', 'alice', 'device.db'))
})

describe.skipIf(process.platform === 'win32')('a profile that others may read is refused', () => {
  test('when it is the folder', () => {
    mkdirSync(join(home, 'alice'), { mode: 0o755 })
    chmodSync(join(home, 'alice'), 0o755)
    expect(() => open('alice')).toThrow(failing('profile_not_private'))
  })

  test('when it is the database', () => {
    mkdirSync(join(home, 'alice'), { mode: 0o700 })
    writeFileSync(join(home, 'alice', 'device.db'), '')
    chmodSync(join(home, 'alice', 'device.db'), 0o640)
    expect(() => open('alice')).toThrow(failing('profile_not_private'))
  })
})

test('a second process gets a sentence that names the first, and may go on when it is done', () => {
  {
    using _first = open('alice')
    expect(() => open('alice')).toThrow(
      expect.objectContaining({ failure: 'profile_in_use', message: expect.stringContaining(String(process.pid)) }),
    )
    open('bob')[Symbol.dispose]()
  }
  open('alice')[Symbol.dispose]()
})

test('a profile remembers its server and goes to no other', () => {
  {
    using profile = open('alice', 'https://chat.example')
    profile.keep()
  }
  {
    using profile = open('alice')
    expect(profile.server).toBe('https://chat.example')
  }
  expect(() => open('alice', 'https://other.example')).toThrow(failing('other_server'))
  open('alice', 'https://chat.example/')[Symbol.dispose]()
})

test('a profile that never signed in remembers nothing', () => {
  open('alice', 'https://chat.example')[Symbol.dispose]()
  using profile = open('alice')
  expect(profile.server).toBe('http://localhost:8420')
})

test('damaged settings are a sentence and not a guess', () => {
  open('alice')[Symbol.dispose]()
  writeFileSync(join(home, 'alice', 'settings.json'), '{"server":', { mode: 0o600 })
  expect(() => open('alice')).toThrow(failing('profile_damaged'))
})

test('a wiped profile holds nothing of the device', () => {
  using profile = open('alice', 'https://chat.example')
  profile.keep()
  for (const name of ['device.db', 'device.db-wal']) writeFileSync(join(home, 'alice', name), 'keys', { mode: 0o600 })
  profile.wipe()
  expect(['device.db', 'device.db-wal', 'settings.json'].filter((name) => existsSync(join(home, 'alice', name)))).toEqual([])
  expect(() => open('alice')).toThrow(failing('profile_in_use'))
})

test.each(['../alice', '', '.hidden', 'a/b', 'a\u001B[2J'])('the profile name %j is refused', (name) => {
  expect(() => open(name)).toThrow(failing('usage'))
})

test.each([
  'chat.example',
  'ftp://chat.example',
  'https://alice:secret@chat.example',
  'https://chat.example/path',
  'https://chat.example/?token=1',
])('the server %j is refused', (server) => expect(() => open('alice', server)).toThrow(failing('usage')))

test('a connection in clear is told apart from one within this computer', () => {
  expect(['http://localhost:8420', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://chat.example'].filter(isExposed)).toEqual([])
  expect(['http://chat.example', 'http://192.168.1.2', 'http://127.0.0.1.evil.example'].filter(isExposed)).toHaveLength(3)
})
