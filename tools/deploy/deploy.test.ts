import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readSettings, settingsTable } from '@tacit/server'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      environment: z.record(z.string(), z.string()).optional(),
      read_only: z.boolean().optional(),
      cap_drop: z.array(z.string()).optional(),
      healthcheck: z.unknown().optional(),
      networks: z.array(z.string()),
      depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
      volumes: z.array(z.string()).optional(),
    }),
  ),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
})
const Render = z.object({
  services: z.array(z.object({ type: z.string(), name: z.string(), envVars: z.array(z.looseObject({ key: z.string() })).optional() })),
  databases: z.array(z.object({ name: z.string() })),
})

const compose = Compose.parse(parse(read('deploy/compose.yaml'), { merge: true }))
const render = Render.parse(parse(read('render.yaml')))
const known = new Set<string>(Object.values(settingsTable).map(({ env }) => env))
const given: Readonly<Record<string, string>> = {
  TACIT_SITE: 'chat.example.org',
  POSTGRES_PASSWORD: 'p'.repeat(64),
  VALKEY_PASSWORD: 'v'.repeat(64),
  TACIT_SECRETS_KEY: 's'.repeat(64),
}

/** `${NAME:?sentence}` and `${NAME:-default}`, as Compose reads them. */
const filled = (text: string): string =>
  text.replaceAll(/\$\{([A-Z_]+)(?::[?-]([^}]*))?\}/g, (_, name: string, otherwise = '') => given[name] ?? otherwise)

const servers = Object.entries(compose.services).filter(([name]) => name.startsWith('server-'))

test('the three servers of compose.yaml are given settings that exist, and a server would start with them', () => {
  expect(servers).toHaveLength(3)
  for (const [, { environment = {} }] of servers) {
    for (const name of Object.keys(environment)) expect(known, name).toContain(name)
    const settings = readSettings(Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, filled(text)])))
    expect(settings).toMatchObject({ dataDir: '/data', publicUrl: 'https://chat.example.org', drainSeconds: 10 })
    expect([settings.redis, settings.database, settings.secretsKey].every((value) => value !== '')).toBe(true)
  }
})

test('F-07: each server of compose.yaml remembers what it acknowledged in a volume that no other uses', () => {
  const used = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]))
  for (const [name, { environment = {}, volumes = [] }] of servers) {
    const [[source, target] = [], ...others] = volumes.map((volume) => volume.split(':'))
    expect([name, target, others]).toEqual([name, environment['TACIT_DATA_DIR'], []])
    expect(used.filter((one) => one === source)).toHaveLength(1)
  }
  expect(read('Dockerfile')).toMatch(/chown node:node \/data/)
})

test('what compose.yaml refers to is there: networks, volumes, services, and each variable in the example', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    for (const network of service.networks) expect(Object.keys(compose.networks), name).toContain(network)
    const needs = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {})
    for (const other of needs) expect(Object.keys(compose.services), name).toContain(other)
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      if (source.startsWith('./')) expect(() => read(join('deploy', source))).not.toThrow()
      else expect(Object.keys(compose.volumes)).toContain(source)
    }
  }
  const example = new Set([...read('deploy/example.env').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name))
  const wanted = [...read('deploy/compose.yaml').matchAll(/[^$]\$\{([A-Z_]+)/g)].map(([, name]) => name)
  expect(new Set(wanted)).toEqual(example)
})

test('servers, proxy and Valkey of compose.yaml run on read-only disks without capabilities, and only the proxy faces outside', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    if (name !== 'postgres') expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']])
    expect(service.networks.includes('outside')).toBe(name === 'proxy')
  }
})

test('the proxy of compose.yaml knows each server, and asks it whether it is ready', () => {
  const caddyfile = read('deploy/Caddyfile')
  for (const [name] of servers) expect(caddyfile).toContain(`${name}:8420`)
  expect(caddyfile).toContain('health_uri /health/ready')
  expect(caddyfile.split('{').length).toBe(caddyfile.split('}').length)
})

test('render.yaml gives settings that exist, from services that it declares', () => {
  const web = render.services.find(({ type }) => type === 'web')
  const names = [...render.services, ...render.databases].map(({ name }) => name)
  for (const { key, fromDatabase, fromService } of web?.envVars ?? []) {
    expect(known, key).toContain(key)
    for (const from of [fromDatabase, fromService])
      if (from !== undefined) expect(names).toContain(z.object({ name: z.string() }).parse(from).name)
  }
  const keys = web?.envVars?.map(({ key }) => key)
  expect(keys).toEqual(expect.arrayContaining(['TACIT_DATABASE', 'TACIT_REDIS', 'TACIT_SECRETS_KEY', 'TACIT_PORT']))
})

test('the image sets settings that exist, runs as somebody who is not root, and starts what is there', () => {
  const dockerfile = read('Dockerfile')
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  const names = [...lastStage.matchAll(/(TACIT_[A-Z_]+)=/g)].map(([, name]) => name)
  for (const name of names) expect(known).toContain(name)
  expect(lastStage).toMatch(/^USER node$/m)
  const program = /^CMD (\[.*\])$/m.exec(lastStage)?.[1] ?? '[]'
  const command = z.array(z.string()).parse(JSON.parse(program))
  expect(() => read(command.at(-1) ?? '')).not.toThrow()
})
