/**
 * Every setting of the server, in one table: the typed object, the documentation and the messages about mistakes all come
 * from it. This is the only file that reads the environment. All problems are reported at once, as sentences.
 */
import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { limits } from '@tacit/contract'
import { z } from 'zod'

interface Setting<S extends z.ZodType> {
  /** Name in the environment and in a settings file. */
  readonly env: `TACIT_${string}`
  readonly schema: S
  readonly default: z.output<S>
  /** What it does, for people; one sentence. */
  readonly sentence: string
  /** Never printed. */
  readonly secret: boolean
}

const setting = <S extends z.ZodType>(entry: Omit<Setting<S>, 'secret'> & { secret?: boolean }): Setting<S> => ({ secret: false, ...entry })

const number = (min: number, max: number) =>
  z.coerce
    .number(`expected a number from ${min} to ${max}`)
    .int(`expected a whole number`)
    .min(min, `expected at least ${min}`)
    .max(max, `expected at most ${max}`)
const text = (max: number) => z.string('expected text').min(1, 'expected some text').max(max, `expected at most ${max} characters`)
const path = text(1024)
const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'yes', 'no'])], 'expected true or false')
  .transform((value) => [true, 'true', '1', 'yes'].includes(value))
const list = (item: z.ZodType<string, string>) =>
  z
    .union([z.string().transform((value) => value.split(',')), z.array(z.string())], 'expected a list separated by commas')
    .transform((items) => items.map((one) => one.trim()).filter((one) => one !== ''))
    .pipe(z.array(item))
const origin = z.string().refine(isOrigin, 'expected an origin such as https://chat.example.org, without a path')

export const settingsTable = {
  name: setting({ env: 'TACIT_NAME', schema: text(64), default: 'Tacit', sentence: 'The name people see for this server.' }),
  dataDir: setting({
    env: 'TACIT_DATA_DIR',
    schema: path,
    default: './data',
    sentence: 'The folder that holds the database and the secrets, and is the only state; ":memory:" keeps nothing after the end.',
  }),
  database: setting({
    env: 'TACIT_DATABASE',
    schema: z.union([
      z.literal(''),
      z.string().regex(/^postgres(ql)?:\/\/./, 'expected an address such as postgres://user:password@host/database'),
    ]),
    default: '',
    sentence: 'The PostgreSQL database to use; empty means SQLite in the data folder.',
    secret: true,
  }),
  redis: setting({
    env: 'TACIT_REDIS',
    schema: z.union([z.literal(''), z.string().regex(/^rediss?:\/\/./, 'expected an address such as redis://:password@host:6379')]),
    default: '',
    sentence:
      'The Redis or Valkey by which several servers on one PostgreSQL ring for each other; empty means that this is the only server.',
    secret: true,
  }),
  secretsKey: setting({
    env: 'TACIT_SECRETS_KEY',
    schema: z.union([z.literal(''), z.string().min(32, 'expected at least 32 random characters')]),
    default: '',
    sentence:
      'Seals the secrets of the servers in the database, the same for all of them; empty means that they are in the data folder, which is for one server.',
    secret: true,
  }),
  host: setting({
    env: 'TACIT_HOST',
    schema: text(255),
    default: '127.0.0.1',
    sentence: 'The address to listen on; 0.0.0.0 for every network.',
  }),
  port: setting({
    env: 'TACIT_PORT',
    schema: number(0, 65_535),
    default: 8420,
    sentence: 'The port of the web app, the API and the socket; 0 takes a free one.',
  }),
  publicUrl: setting({
    env: 'TACIT_PUBLIC_URL',
    schema: z.union([z.literal(''), origin]),
    default: '',
    sentence:
      'The origin under which people reach the server; empty means localhost. Passkeys belong to its host name, and requests for other hosts are refused.',
  }),
  allowedOrigins: setting({
    env: 'TACIT_ALLOWED_ORIGINS',
    schema: list(origin),
    default: [],
    sentence: 'Other websites whose pages may use the API and the socket.',
  }),
  tlsCertificate: setting({
    env: 'TACIT_TLS_CERTIFICATE',
    schema: z.union([z.literal(''), path]),
    default: '',
    sentence: 'The file with the TLS certificate chain (PEM); with it the server speaks HTTPS.',
  }),
  tlsKey: setting({
    env: 'TACIT_TLS_KEY',
    schema: z.union([z.literal(''), path]),
    default: '',
    sentence: 'The file with the private key of the TLS certificate (PEM).',
  }),
  trustedProxies: setting({
    env: 'TACIT_TRUSTED_PROXIES',
    schema: list(z.string().regex(/^[0-9a-fA-F.:/]+$/, 'expected addresses or networks such as 10.0.0.0/8')),
    default: [],
    sentence: 'Reverse proxies whose X-Forwarded-For header is believed; from others it is ignored.',
  }),
  webRoot: setting({
    env: 'TACIT_WEB_ROOT',
    schema: z.union([z.literal(''), path]),
    default: '',
    sentence: 'The folder with the built web app; empty means the one beside the server in this repository.',
  }),
  metricsHost: setting({
    env: 'TACIT_METRICS_HOST',
    schema: text(255),
    default: '127.0.0.1',
    sentence: 'The address on which Prometheus metrics are offered.',
  }),
  metricsPort: setting({
    env: 'TACIT_METRICS_PORT',
    schema: number(0, 65_535),
    default: 9464,
    sentence: 'The port of the Prometheus metrics; 0 switches them off.',
  }),
  archiveMib: setting({
    env: 'TACIT_ARCHIVE_MIB',
    schema: number(1, 4096),
    default: 128,
    sentence: 'How many MiB of encrypted history the archive of one account may take; 128 hold about a million short messages.',
  }),
  retentionDays: setting({
    env: 'TACIT_RETENTION_DAYS',
    schema: number(1, 3650),
    default: 30,
    sentence: 'How long the server keeps a message for devices that have not fetched it.',
  }),
  maxMembers: setting({
    env: 'TACIT_MAX_MEMBERS',
    schema: number(2, limits.membersPerConversation),
    default: limits.membersPerConversation,
    sentence: 'How many devices a conversation may have.',
  }),
  minFreeDiskMib: setting({
    env: 'TACIT_MIN_FREE_DISK_MIB',
    schema: number(0, 1_000_000),
    default: 64,
    sentence: 'Below this free disk space (MiB) the server accepts nothing new.',
  }),
  acceptDataLoss: setting({
    env: 'TACIT_ACCEPT_DATA_LOSS',
    schema: flag,
    default: false,
    sentence: 'Faster and weaker: a power cut may lose messages that were accepted.',
  }),
  limitsFactor: setting({
    env: 'TACIT_LIMITS_FACTOR',
    schema: number(1, 1_000_000),
    default: 1,
    sentence: 'Multiplies every rate limit; for tests and benchmarks.',
  }),
  requestSeconds: setting({
    env: 'TACIT_REQUEST_SECONDS',
    schema: number(1, 300),
    default: 25,
    sentence: 'How long a request may take to arrive; its headers at most 8 seconds of that.',
  }),
  drainSeconds: setting({
    env: 'TACIT_DRAIN_SECONDS',
    schema: number(0, 600),
    default: 10,
    sentence: 'How long a stop waits for requests that are under way.',
  }),
  logLevel: setting({
    env: 'TACIT_LOG_LEVEL',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'expected debug, info, warn, error or silent'),
    default: 'info',
    sentence: 'How much the server logs; never content, tokens or addresses.',
  }),
} as const

export type Settings = { readonly [Name in keyof typeof settingsTable]: z.output<(typeof settingsTable)[Name]['schema']> }
type SettingName = keyof Settings

/** One of these tells everything that is wrong with the settings. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `The settings have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    )
    this.problems = problems
  }
}

/** The variable that names a settings file: `.json` for JSON, anything else as NAME=value lines. The environment wins over the file. */
const FILE_VARIABLE = 'TACIT_SETTINGS_FILE'

const names = Object.keys(settingsTable) as SettingName[]
const byEnv = new Map<string, SettingName>(names.map((name) => [settingsTable[name].env, name]))

/** Settings from the environment and the file it names. Throws SettingsError with every problem. */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const problems: string[] = []
  const fromFile = readFile(environment[FILE_VARIABLE], problems)
  for (const key of Object.keys(fromFile)) if (!byEnv.has(key)) problems.push(unknownSetting(key))
  for (const key of Object.keys(environment)) if (isMisspelt(key)) problems.push(unknownSetting(key))
  const given: Partial<Record<SettingName, unknown>> = {}
  for (const [env, name] of byEnv) given[name] = environment[env] ?? fromFile[env]
  return parse(given, problems)
}

/** Settings for a server inside another program: the given ones, else the defaults. Throws SettingsError. */
export const settingsWith = (given: Partial<Settings> = {}): Settings => parse(given, [])

function parse(given: Partial<Record<SettingName, unknown>>, problems: string[]): Settings {
  const values: Partial<Record<SettingName, unknown>> = {}
  for (const name of names) {
    const { env, schema, default: fallback, sentence } = settingsTable[name]
    const value = given[name]
    const parsed = schema.safeParse(value ?? fallback)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${env}: ${parsed.error.issues[0]?.message ?? 'not valid'}. ${sentence}`)
  }
  const settings = values as Settings
  if (problems.length === 0) problems.push(...contradictions(settings))
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

function contradictions(settings: Settings): string[] {
  const found: string[] = []
  if ((settings.tlsCertificate === '') !== (settings.tlsKey === ''))
    found.push('TACIT_TLS_CERTIFICATE and TACIT_TLS_KEY: give both files, or neither.')
  if (settings.redis !== '' && settings.database === '')
    found.push('TACIT_REDIS: several servers need a database that they share; name it with TACIT_DATABASE.')
  if (settings.redis !== '' && settings.secretsKey === '')
    found.push('TACIT_REDIS: several servers need the same secrets; give all of them the same TACIT_SECRETS_KEY.')
  if (settings.metricsPort !== 0 && settings.metricsPort === settings.port && settings.metricsHost === settings.host) {
    found.push('TACIT_METRICS_PORT: expected another port than TACIT_PORT.')
  }
  return found
}

function readFile(file: string | undefined, problems: string[]): Record<string, unknown> {
  if (!file) return {}
  try {
    const content = readFileSync(isAbsolute(file) ? file : resolve(file), 'utf8')
    return file.endsWith('.json') ? z.record(z.string(), z.unknown()).parse(JSON.parse(content)) : parseEnv(content)
  } catch {
    problems.push(`${FILE_VARIABLE}: the file cannot be read, or is not what its name says (.json, or lines NAME=value).`)
    return {}
  }
}

const unknownSetting = (key: string): string => {
  const near = [...byEnv.keys()].find((env) => distance(env, key) <= 2)
  return `${key.slice(0, 64)} is not a setting.${near ? ` Did you mean ${near}?` : ''}`
}

/** Other programs may have variables with our prefix, so in the environment only a near miss is a mistake. */
const isMisspelt = (key: string): boolean =>
  key.startsWith('TACIT_') && key !== FILE_VARIABLE && !byEnv.has(key) && [...byEnv.keys()].some((env) => distance(env, key) <= 2)

/** Levenshtein distance. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (const [i, letter] of left.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of right.split('').entries()) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row[right.length] ?? 0
}

function isOrigin(value: string): boolean {
  try {
    const url = new URL(value)
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.origin === value
  } catch {
    return false
  }
}
