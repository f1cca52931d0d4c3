/**
 * The server's own secrets, made on the first run. One server keeps them in its data folder, readable by its owner only;
 * several keep them in the database, sealed under a key from their settings, because whoever steals a database must not be able
 * to guess passwords with it. Losing them ends every password and session; they open no vault and no message.
 */
import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64Url, toBase64Url } from '@tacit/contract'
import { ready, server as opaque } from '@serenity-kit/opaque'
import { z } from 'zod'
import type { Random } from './random.ts'
import type { Database } from './storage/database.ts'

type Purpose = 'access token' | 'refresh token' | 'decoy account' | 'transparency key' | 'budget key' | 'installation'

export interface Secrets {
  /** OPAQUE server setup: OPRF seed and key pair (RFC 9807 section 6.1). */
  readonly opaqueSetup: string
  /** HMAC-SHA-256 under the server's key, for `purpose`. */
  derive(purpose: Purpose, input: Uint8Array | string): Uint8Array<ArrayBuffer>
  /** They did not exist before. */
  readonly fresh: boolean
}

export interface SecretsPlace {
  readonly folder: string | undefined
  readonly random: Random
  /** Where several servers share them, and the key that seals them there. */
  readonly shared?: SharedPlace | undefined
  /** Whether anybody depends on secrets that must then be somewhere. */
  anyAccount?(): Promise<boolean>
}

export interface SharedPlace {
  readonly database: Pick<Database, 'kysely' | 'write'>
  readonly sealingKey: string
}

const SecretsFile = z.strictObject({ version: z.literal(1), opaqueSetup: z.string().min(100), key: z.string().length(43) })
type SecretsFile = z.output<typeof SecretsFile>

/** Reads or makes the secrets; without a folder and a key they live as long as the process. Throws a sentence. */
export async function openSecrets(place: SecretsPlace): Promise<Secrets> {
  await ready
  const { content, fresh } = place.shared ? await fromDatabase(place, place.shared) : await fromFolder(place)
  const key = fromBase64Url(content.key) ?? new Uint8Array()
  return {
    opaqueSetup: content.opaqueSetup,
    fresh,
    derive: (purpose, input) => new Uint8Array(createHmac('sha256', key).update(`tacit ${purpose}\0`).update(input).digest()),
  }
}

interface Opened {
  readonly content: SecretsFile
  readonly fresh: boolean
}

/** New ones in the place of lost ones would look as if everybody had forgotten their password. */
async function makeSecrets({ random, anyAccount }: SecretsPlace): Promise<SecretsFile> {
  if (await anyAccount?.()) {
    throw new Error(
      'The database has accounts, but their secrets are missing. Restore secrets.json from a backup, or give the TACIT_SECRETS_KEY that seals them; without them nobody can sign in.',
    )
  }
  return { version: 1, opaqueSetup: opaque.createSetup(), key: toBase64Url(random.bytes(32)) }
}

async function fromFolder(place: SecretsPlace): Promise<Opened> {
  const file = place.folder && join(place.folder, 'secrets.json')
  if (file && existsSync(file)) return { content: readSecrets(file), fresh: false }
  const content = await makeSecrets(place)
  if (file) writeSecrets(file, content)
  return { content, fresh: true }
}

/** The secrets of a data folder as a backup carries them; undefined when there are none. */
export function readSecretsText(folder: string): string | undefined {
  const file = join(folder, 'secrets.json')
  return existsSync(file) ? JSON.stringify(readSecrets(file)) : undefined
}

/** What `readSecretsText` gave becomes the secrets of a folder. */
export const restoreSecrets = (folder: string, text: string): void =>
  writeSecrets(join(folder, 'secrets.json'), SecretsFile.parse(JSON.parse(text)))

function readSecrets(file: string): SecretsFile {
  chmodSync(file, 0o600)
  try {
    return SecretsFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new Error(
      `The server's secrets in ${file} cannot be read. Restore the file from a backup; without it nobody can sign in by password.`,
    )
  }
}

/** Complete or not there at all: written beside, synced, renamed. */
function writeSecrets(file: string, content: SecretsFile): void {
  const beside = `${file}.new`
  const handle = openSync(beside, 'w', 0o600)
  writeSync(handle, `${JSON.stringify(content, null, 2)}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(beside, file)
}

const NAME = 'secrets'

/** Of servers that start together one makes them, or brings them from its folder, and the others take what it made. */
async function fromDatabase(place: SecretsPlace, { database, sealingKey }: SharedPlace): Promise<Opened> {
  const { folder, random } = place
  const known = await readSealed(database)
  if (known) return { content: unseal(known, sealingKey), fresh: false }
  const inFolder = folder && join(folder, 'secrets.json')
  const brought = inFolder && existsSync(inFolder) ? readSecrets(inFolder) : undefined
  const sealed = seal(brought ?? (await makeSecrets(place)), { sealingKey, nonce: random.bytes(12) })
  const added = await database.write((tx) =>
    tx
      .insertInto('server_secret')
      .values({ name: NAME, sealed })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('name')
      .executeTakeFirst(),
  )
  const stored = await readSealed(database)
  if (!stored) throw new Error('The secrets of the servers could not be stored in the database.')
  return { content: unseal(stored, sealingKey), fresh: added !== undefined && !brought }
}

async function readSealed({ kysely }: SharedPlace['database']): Promise<Uint8Array | undefined> {
  const row = await kysely.selectFrom('server_secret').select('sealed').where('name', '=', NAME).executeTakeFirst()
  return row?.sealed
}

/** Stretched, in case somebody chose a phrase. */
const keyFrom = (sealingKey: string): Buffer => scryptSync(sealingKey, 'tacit server secrets', 32, { N: 2 ** 15, r: 8, maxmem: 2 ** 26 })

function seal(content: SecretsFile, { sealingKey, nonce }: { sealingKey: string; nonce: Uint8Array }): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', keyFrom(sealingKey), nonce)
  const body = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()])
  return new Uint8Array(Buffer.concat([nonce, body, cipher.getAuthTag()]))
}

function unseal(sealed: Uint8Array, sealingKey: string): SecretsFile {
  const bytes = Buffer.from(sealed)
  try {
    const opener = createDecipheriv('aes-256-gcm', keyFrom(sealingKey), bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16))
    const body = Buffer.concat([opener.update(bytes.subarray(12, -16)), opener.final()])
    return SecretsFile.parse(JSON.parse(body.toString('utf8')))
  } catch {
    throw new Error('TACIT_SECRETS_KEY does not open the secrets in the database. Every server must be given the key of the first one.')
  }
}
