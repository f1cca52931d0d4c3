/** What keys and disks say in the end: members of a conversation have the same keys, and the server's disk holds no word of anybody. */
import { decodeCbor } from '@tacit/contract'
import type { LeafIdentity, MlsEngine } from '@tacit/mls'
import { openEngine } from '@tacit/sdk'
import type { SimulatedDatabase } from '../disk/sqlite-database.ts'
import type { Finding, SimWorld } from './sim-world.ts'
import { CANARY } from './workload.ts'

let engine: Promise<MlsEngine> | undefined

/** Whoever is in a conversation at an epoch has that epoch's authenticator (RFC 9420 section 8.7). */
export async function judgeGroups({ devices }: SimWorld): Promise<Finding[]> {
  const mls = await (engine ??= openEngine())
  const findings: Finding[] = []
  const seen = new Map<string, { readonly name: string; readonly authenticator: string }>()
  for (const { name, database } of devices) {
    for (const row of database?.look("select conversation, epoch from conversation where standing = 'active'").all() ?? []) {
      const conversation = String(row['conversation'])
      const authenticator = database && (await authenticatorOf(mls, database, conversation))
      if (authenticator === undefined) continue
      const key = `${conversation} ${String(row['epoch'])}`
      const other = seen.get(key)
      if (!other) seen.set(key, { name, authenticator })
      else if (other.authenticator !== authenticator)
        findings.push({ id: 'D-12', says: `${name} and ${other.name} have other keys in ${key}` })
    }
  }
  return findings
}

/** D-16: what people wrote is not on the server's disk. */
export function* judgeSecrecy({ server }: SimWorld): Generator<Finding> {
  for (const [file, bytes] of server.disk.snapshot())
    if (Buffer.from(bytes.buffer).includes(CANARY)) yield { id: 'D-16', says: `${file} of the server holds words of a message` }
}

async function authenticatorOf(mls: MlsEngine, database: SimulatedDatabase, conversation: string): Promise<string | undefined> {
  const rows = database.look('select slot, bytes from group_state where conversation = ?').all(conversation)
  const slots = rows.map(({ slot, bytes }) => ({ slot: String(slot), bytes: asBytes(bytes) }))
  const snapshot = slots.find(({ slot }) => slot === '')?.bytes
  if (!snapshot) return undefined
  const rest = slots.filter(({ slot }) => slot !== '')
  const group = await mls.restore({ snapshot, slots: rest, identity: identityIn(database) })
  return Buffer.from(group.epochAuthenticator).toString('hex')
}

function identityIn(database: SimulatedDatabase): LeafIdentity {
  const self = decodeCbor(asBytes(database.look("select value from setting where name = 'self'").get()?.['value']))
  if (!Array.isArray(self)) throw new TypeError('no device in this store')
  const [, , , , credential, publicKey, secretKey] = self
  return { credential: asBytes(credential), signature: { publicKey: asBytes(publicKey), secretKey: asBytes(secretKey) } }
}

function asBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('no bytes')
  return value
}
