/**
 * The server's own secrets, made on the first run and kept in the data folder, readable by its owner only. Losing them
 * ends every password and session; they open no vault and no message.
 */
import { createHmac } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64Url, toBase64Url } from '@tacit/contract'
import { ready, server as opaque } from '@serenity-kit/opaque'
import { z } from 'zod'
import type { Random } from './random.ts'

export interface Secrets {
  /** OPAQUE server setup: OPRF seed and key pair (RFC 9807 section 6.1). */
  readonly opaqueSetup: string
  /** HMAC-SHA-256 under the server's key, for `purpose`. */
  derive(
    purpose: 'access token' | 'refresh token' | 'decoy account' | 'transparency key',
    input: Uint8Array | string,
  ): Uint8Array<ArrayBuffer>
  /** They did not exist before. */
  readonly fresh: boolean
}

const SecretsFile = z.strictObject({ version: z.literal(1), opaqueSetup: z.string().min(100), key: z.string().length(43) })
type SecretsFile = z.output<typeof SecretsFile>

/** Reads or makes the secrets of a data folder; without a folder they live as long as the process. */
export async function openSecrets({ folder, random }: { folder: string | undefined; random: Random }): Promise<Secrets> {
  await ready
  const file = folder && join(folder, 'secrets.json')
  const known = file && existsSync(file) ? readSecrets(file) : undefined
  const content = known ?? makeSecrets(random)
  if (file && !known) writeSecrets(file, content)
  const key = fromBase64Url(content.key) ?? new Uint8Array()
  return {
    opaqueSetup: content.opaqueSetup,
    fresh: !known,
    derive: (purpose, input) => new Uint8Array(createHmac('sha256', key).update(`tacit ${purpose}\0`).update(input).digest()),
  }
}

/** The secrets of a data folder as a backup carries them; undefined when there are none. */
export function readSecretsText(folder: string): string | undefined {
  const file = join(folder, 'secrets.json')
  return existsSync(file) ? JSON.stringify(readSecrets(file)) : undefined
}

/** What `readSecretsText` gave becomes the secrets of a folder. */
export const restoreSecrets = (folder: string, text: string): void =>
  writeSecrets(join(folder, 'secrets.json'), SecretsFile.parse(JSON.parse(text)))

const makeSecrets = (random: Random): SecretsFile => ({ version: 1, opaqueSetup: opaque.createSetup(), key: toBase64Url(random.bytes(32)) })

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
