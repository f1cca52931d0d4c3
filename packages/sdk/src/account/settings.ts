/** What the device keeps about itself: who it is and its session. Each value is one CBOR array, by name. */
import { AccountId, decodeCbor, DeviceId, encodeCbor, type CborValue } from '@tacit/contract'
import type { SignaturePair } from '@tacit/mls'
import type { StoredTokens } from '../connection/session.ts'
import { blob } from '../local-store/columns.ts'
import type { Reader, StoreDriver, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'

/** This device, once it is enrolled. */
export interface Self {
  readonly account: AccountId
  readonly handle: string
  readonly accountKey: Uint8Array
  readonly device: DeviceId
  readonly certificate: Uint8Array
  readonly signature: SignaturePair
  readonly sharesPresence: boolean
  /** When this device joined an account that existed before, in milliseconds; 0 when it is the account's first. */
  readonly joinedLate: number
}

/** More tries than anybody makes that get as far as the list. */
const MOST_UNKEPT = 100

export async function loadSelf(reader: Reader): Promise<Self | undefined> {
  const fields = await load(reader, 'self')
  if (!fields) return undefined
  const [account, handle, accountKey, device, certificate, publicKey, secretKey, , sharesPresence, joinedLate] = fields
  return {
    account: parsed(AccountId, account),
    handle: asText(handle),
    accountKey: asBytes(accountKey),
    device: parsed(DeviceId, device),
    certificate: asBytes(certificate),
    signature: { publicKey: asBytes(publicKey), secretKey: asBytes(secretKey) },
    sharesPresence: sharesPresence === true,
    joinedLate: asNumber(joinedLate),
  }
}

export const saveSelf = (writer: Writer, self: Self): Promise<void> =>
  save(writer, 'self', [
    self.account,
    self.handle,
    self.accountKey,
    self.device,
    self.certificate,
    self.signature.publicKey,
    self.signature.secretKey,
    // Where the vault key was before it had a row of its own (vault/vault.store.ts).
    null,
    self.sharesPresence,
    self.joinedLate,
  ])

export async function loadTokens(reader: Reader): Promise<StoredTokens | undefined> {
  const fields = await load(reader, 'tokens')
  if (!fields) return undefined
  const [accessToken, accessUntil, refreshToken] = fields
  return { accessToken: asText(accessToken), accessUntil: asNumber(accessUntil), refreshToken: asText(refreshToken) }
}

export const saveTokens = (writer: Writer, tokens: StoredTokens): Promise<void> =>
  save(writer, 'tokens', [tokens.accessToken, tokens.accessUntil, tokens.refreshToken])

/** The server ended the session; the keys stay. */
export const forgetTokens = (writer: Writer): Promise<void> => writer.run('delete from setting where name = ?', ['tokens'])

/** Devices that were begun here and not kept, oldest first: one of them may be on the account's list, and nobody has its keys. */
export async function loadUnkept(reader: Reader): Promise<readonly DeviceId[]> {
  const devices = await load(reader, 'unkept')
  return (devices ?? []).map((device) => parsed(DeviceId, device))
}

/**
 * Before the server hears of the device: whoever cannot keep it, or never hears the answer, knows at the next try whose place to take.
 * Rejects with `storage` where nothing can be kept at all, and then the account's list stays as it is.
 */
export const noteUnkept = (store: StoreDriver, device: DeviceId): Promise<void> =>
  store.transaction(async (writer) => save(writer, 'unkept', [...(await loadUnkept(writer)), device].slice(-MOST_UNKEPT)))

/** The device was kept, in the place of all of these. */
export const forgetUnkept = (writer: Writer): Promise<void> => writer.run('delete from setting where name = ?', ['unkept'])

/** This account began anew and nothing is known of its people: what it is in already is not asked about again. */
export const markBegunAnew = (writer: Writer): Promise<void> => save(writer, 'begun anew', [])

export async function hasBegunAnew(reader: Reader): Promise<boolean> {
  return (await load(reader, 'begun anew')) !== undefined
}

export const forgetBegunAnew = (writer: Writer): Promise<void> => writer.run("delete from setting where name = 'begun anew'")

async function load(reader: Reader, name: string): Promise<readonly CborValue[] | undefined> {
  const row = await reader.get('select value from setting where name = ?', [name])
  if (!row) return undefined
  const value = decodeCbor(blob(row, 'value'))
  if (!Array.isArray(value)) throw storeError('damaged')
  return value
}

const save = (writer: Writer, name: string, fields: readonly CborValue[]): Promise<void> =>
  writer.run('insert into setting (name, value) values (?, ?) on conflict (name) do update set value = excluded.value', [
    name,
    encodeCbor(fields),
  ])

function asText(value: CborValue | undefined): string {
  if (typeof value !== 'string') throw storeError('damaged')
  return value
}

function asNumber(value: CborValue | undefined): number {
  if (typeof value !== 'number') throw storeError('damaged')
  return value
}

function asBytes(value: CborValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw storeError('damaged')
  return value
}

function parsed<T>(kind: { parse(value: unknown): T }, value: CborValue | undefined): T {
  try {
    return kind.parse(value)
  } catch (error) {
    throw storeError('damaged', error)
  }
}
