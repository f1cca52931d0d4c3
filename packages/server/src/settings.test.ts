import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSettings, SettingsError, settingsTable, settingsWith } from './settings.ts'

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

function withFile<T>(name: string, content: string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-settings-'))
  const path = join(folder, name)
  writeFileSync(path, content)
  try {
    return use(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('without any setting the server has all it needs', () => {
  expect(readSettings({})).toEqual(settingsWith())
  expect(settingsWith()).toMatchObject({ dataDir: './data', port: 8420, host: '127.0.0.1', metricsPort: 9464, acceptDataLoss: false })
})

test('everything that is wrong is told at once, by name and with what it is for', () => {
  const problems = problemsOf({
    TACIT_PORT: 'eighty',
    TACIT_PUBLIC_URL: 'chat.example.org',
    TACIT_ACCEPT_DATA_LOSS: 'maybe',
    TACIT_LOG_LEVEL: 'loud',
    TACIT_ALLOWED_ORIGINS: 'https://a.example,https://b.example/path',
  })
  expect(problems.map((line) => line.split(':', 1)[0])).toEqual([
    'TACIT_PORT',
    'TACIT_PUBLIC_URL',
    'TACIT_ALLOWED_ORIGINS',
    'TACIT_ACCEPT_DATA_LOSS',
    'TACIT_LOG_LEVEL',
  ])
  expect(problems[0]).toBe(`TACIT_PORT: expected a number from 0 to 65535. ${settingsTable.port.sentence}`)
  for (const problem of problems) expect(problem).toMatch(/\.$/)
})

test('a certificate without its key is a contradiction', () => {
  expect(problemsOf({ TACIT_TLS_CERTIFICATE: '/x.pem' })).toEqual(['TACIT_TLS_CERTIFICATE and TACIT_TLS_KEY: give both files, or neither.'])
})

test('a misspelt name is noticed and the right one offered; other programs’ variables are left alone', () => {
  expect(problemsOf({ TACIT_PROT: '80', TACIT_CLI_PROFILE: 'work', PATH: '/bin' })).toEqual([
    'TACIT_PROT is not a setting. Did you mean TACIT_PORT?',
  ])
})

test('a file may be JSON or lines; the environment wins over it', () => {
  const json = JSON.stringify({ TACIT_PORT: 1234, TACIT_NAME: 'From the file', TACIT_ALLOWED_ORIGINS: ['https://a.example'] })
  withFile('tacit.json', json, (path) => {
    const settings = readSettings({ TACIT_SETTINGS_FILE: path, TACIT_NAME: 'From the environment' })
    expect(settings).toMatchObject({ port: 1234, name: 'From the environment', allowedOrigins: ['https://a.example'] })
  })
  withFile('tacit.env', '# ours\nTACIT_PORT=4321\nTACIT_ACCEPT_DATA_LOSS=yes\n', (path) => {
    expect(readSettings({ TACIT_SETTINGS_FILE: path })).toMatchObject({ port: 4321, acceptDataLoss: true })
  })
})

test('a file with an unknown name, or that is not there, is a problem', () => {
  withFile('tacit.json', '{"TACIT_NMAE":"x"}', (path) => {
    expect(problemsOf({ TACIT_SETTINGS_FILE: path })).toEqual(['TACIT_NMAE is not a setting. Did you mean TACIT_NAME?'])
  })
  expect(problemsOf({ TACIT_SETTINGS_FILE: '/nowhere.json' })[0]).toContain('cannot be read')
})

test('each setting has a name of its own and a sentence', () => {
  const entries = Object.values(settingsTable)
  expect(new Set(entries.map(({ env }) => env)).size).toBe(entries.length)
  for (const { sentence } of entries) expect(sentence).toMatch(/^[A-Z].*\.$/)
})

test('several servers without a common database, or without a common key, are a contradiction', () => {
  expect(problemsOf({ TACIT_REDIS: 'redis://cache' })).toEqual([
    'TACIT_REDIS: several servers need a database that they share; name it with TACIT_DATABASE.',
    'TACIT_REDIS: several servers need the same secrets; give all of them the same TACIT_SECRETS_KEY.',
  ])
  expect(problemsOf({ TACIT_SECRETS_KEY: 'short' })[0]).toContain('at least 32 random characters')
})
