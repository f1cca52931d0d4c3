/**
 * Signing in: the server is convinced first, then the vault opens with a key that only this way of signing in gives, and
 * the account key in it signs the new device into the list. A device whose session had ended goes on as itself.
 */
import {
  equalBytes,
  readDeviceList,
  Refusal,
  routes,
  signForKit,
  type ChallengeId,
  type DeviceCertificate,
  type DeviceId,
  type RouteResult,
  type Routes,
  type SessionTokens,
  type WebAuthnJson,
} from '@tacit/contract'
import { MessengerError } from '../api.ts'
import { callRoute } from '../connection/http.ts'
import { Session, storedTokens, type StoredTokens } from '../connection/session.ts'
import { forgetArchive } from '../archive/archive.store.ts'
import { savePin } from '../devices/people.store.ts'
import type { Writer } from '../local-store/driver.ts'
import { asUpload } from '../keys/key-packages.ts'
import { owned } from '../sealing.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import { offerListsAgain } from './offer-lists-again.ts'
import { isInTime, makeDevice, nextDeviceList, renewedList } from './new-device.ts'
import { tellVault } from '../vault/own-vault.ts'
import { kitFrom, readKit } from '../vault/kit.ts'
import { openPart, type VaultKey } from '../vault/parts.ts'
import { unwrapVaultKey, type UnlockSecret } from '../vault/unlock.ts'
import { decodeVault, type Vault } from '../vault/vault.ts'
import { SHARED_PARTS, unsettleValues } from '../vault/values.store.ts'
import { vaultIn } from '../vault/vault.store.ts'
import { startLogin } from './password.ts'
import { loadSelf, loadUnkept, noteUnkept, saveSelf, saveTokens, type Self } from './settings.ts'
import { keepDevice, keepVault, type FrontDesk } from './sign-up.ts'
import type { Admission } from '../linking/new-side.ts'

type Me = RouteResult<Routes['accounts']['me']>

/** The account, opened: what enrolling a device takes. */
interface OpenAccount {
  readonly session: Session
  readonly tokens: () => StoredTokens
  readonly me: Me
  readonly key: SigningKey
  readonly vaultKey: VaultKey
  /** Of the part `keys`. */
  readonly vaultVersion: number
  /** What the person calls their devices. */
  readonly names: ReadonlyMap<DeviceId, string>
  readonly deviceName: string
}

export async function signInWithPassword(
  desk: FrontDesk,
  { handle, password, deviceName }: { handle: string; password: string; deviceName: string },
): Promise<void> {
  desk.step('server')
  const login = await startLogin(password)
  const start = { handle, startLoginRequest: login.startLoginRequest }
  const { challenge, loginResponse } = await callRoute(desk.server, { route: routes.sessions.startPasswordSignIn, given: { body: start } })
  const finished = login.finish(loginResponse)
  // The same failure as the server's: nobody learns whether handle or password was wrong.
  if (!finished) throw new Refusal('wrong_credentials')
  const finish = { challenge, finishLoginRequest: finished.finishLoginRequest }
  const tokens = await callRoute(desk.server, { route: routes.sessions.finishPasswordSignIn, given: { body: finish } })
  await enter(desk, { tokens, unlock: { kind: 'password', secret: finished.exportKey }, deviceName })
}

/** First half; the ceremony itself needs a page. */
export const beginPasskeySignIn = (desk: FrontDesk) =>
  callRoute(desk.server, { route: routes.sessions.startPasskeySignIn, given: { body: {} } })

export async function finishPasskeySignIn(
  desk: FrontDesk,
  done: { challenge: ChallengeId; response: WebAuthnJson; prf: Uint8Array; deviceName: string },
): Promise<void> {
  desk.step('server')
  const body = { challenge: done.challenge, response: done.response }
  const tokens = await callRoute(desk.server, { route: routes.sessions.finishPasskeySignIn, given: { body } })
  await enter(desk, { tokens, unlock: { kind: 'passkey', secret: done.prf }, deviceName: done.deviceName })
}

/** By the words of a recovery kit, or its code. Rejects with what `readKit` does, `kit_replaced` and `kit_unknown`. */
export async function signInWithKit(desk: FrontDesk, { kit: typed, deviceName }: { kit: string; deviceName: string }): Promise<void> {
  const { id, signIn, unlock } = await kitFrom(await readKit(typed))
  desk.step('server')
  const start = callRoute(desk.server, { route: routes.sessions.startKitSignIn, given: { body: { kit: id } } })
  const { challenge, nonce } = await start.catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.failure !== 'not_found') throw error
    throw new MessengerError('kit_unknown', 'This server knows no kit like this.', { cause: error })
  })
  const body = { challenge, signature: owned(await signForKit(id, nonce, signIn.sign)) }
  const tokens = await callRoute(desk.server, { route: routes.sessions.finishKitSignIn, given: { body } })
  await enter(desk, { tokens, unlock, deviceName })
}

/** Another device of the account handed over what this one needs. */
export async function enterLinked(desk: FrontDesk, { tokens, handover, deviceName }: Admission & { deviceName: string }): Promise<void> {
  const { account, accountKey, vaultKey } = handover
  if (tokens.account !== account) throw new MessengerError('identity_mismatch', 'The server let this device into another account.')
  await enter(desk, { tokens, unlock: { kind: 'handed_over', vaultKey, accountKey }, deviceName })
}

/** What opens the vault: a secret of a way of signing in, or the vault key itself, from another device that says which account key it has seen. */
type Opener = UnlockSecret | { readonly kind: 'handed_over'; readonly vaultKey: VaultKey; readonly accountKey: Uint8Array }

async function enter(desk: FrontDesk, entered: { tokens: SessionTokens; unlock: Opener; deviceName: string }): Promise<void> {
  const session = sessionOf(desk, entered.tokens)
  const before = await loadSelf(desk.store)
  if (before && before.account !== entered.tokens.account) {
    await session.call(routes.sessions.signOut, {}).catch(() => undefined)
    throw new MessengerError('not_allowed', 'This device belongs to another account. Sign that one out first.')
  }
  const opening = openAccount(desk, { session, unlock: entered.unlock, deviceName: entered.deviceName })
  const opened = await opening.catch((error: unknown) => {
    throw isLocked(error) ? new LockedOutError(session, error) : error
  })
  // A server that was restored may not know any more that this device is on the list.
  const isBack = before !== undefined && (await offerListsAgain({ session, store: desk.store }).catch(() => false))
  const account = isBack ? { ...opened, me: await session.call(routes.accounts.me, {}) } : opened
  if (before && (await isStillListed(before, account.me.deviceList))) await comeBack(desk, account, before)
  else await enrol(desk, account, before)
}

/** Signed in at the server with a vault that does not open: what is left is to begin anew (reset.ts). */
export class LockedOutError extends MessengerError {
  readonly session: Session
  constructor(session: Session, { failure, message }: MessengerError) {
    super(failure, message)
    this.session = session
  }
}

const isLocked = (error: unknown): error is MessengerError => error instanceof MessengerError && error.failure === 'vault_locked'

const sessionOf = ({ server, clock }: FrontDesk, tokens: SessionTokens): Session =>
  new Session({ server, clock, tokens: storedTokens(tokens, clock.now()), save: async () => undefined, ended: () => undefined })

async function openAccount(
  desk: FrontDesk,
  { session, unlock, deviceName }: { session: Session; unlock: Opener; deviceName: string },
): Promise<OpenAccount> {
  desk.step('vault')
  const me = await session.call(routes.accounts.me, {})
  const { generation, parts, unlocks } = await session.call(routes.vault.fetch, {}).catch((error: unknown) => {
    throw error instanceof Refusal && error.failure === 'not_found' ? locked() : error
  })
  const found = unlock.kind === 'handed_over' ? unlock : await unwrapVaultKey({ unlocks, generation, unlock, account: me.account })
  const keys = parts.find(({ part }) => part === 'keys')
  if (!found || !keys) throw locked()
  const { vaultKey } = found
  const opened = await openPart({ vaultKey, name: { ...keys, account: me.account }, sealed: keys.bytes })
  const vault = opened && decodeVault(opened)
  if (!vault) throw locked()
  const key = await signingKeyFrom(vault.accountKeySeed)
  vault.accountKeySeed.fill(0)
  if (!equalBytes(key.publicKey, me.accountKey) || (unlock.kind === 'handed_over' && !equalBytes(key.publicKey, unlock.accountKey)))
    throw new MessengerError('identity_mismatch', 'The server names another account key than the vault.')
  return { session, tokens: () => mustGoOn(session), me, key, vaultKey, vaultVersion: keys.version, names: namesIn(vault), deviceName }
}

const namesIn = ({ devices }: Vault): ReadonlyMap<DeviceId, string> => new Map([...devices].map(([device, { name }]) => [device, name]))

const locked = () => new MessengerError('vault_locked', 'You are signed in, but this does not open the vault.')

/** The session may have been renewed while the account was opened. */
function mustGoOn({ tokens }: Session): StoredTokens {
  if (!tokens) throw new Refusal('session_ended')
  return tokens
}

async function isStillListed(before: Self, deviceList: Uint8Array): Promise<boolean> {
  const list = await readDeviceList(deviceList)
  return (
    list?.devices.some(({ device, signatureKey }) => device === before.device && equalBytes(signatureKey, before.signature.publicKey)) ??
    false
  )
}

/** The session is bound to the device that was here, with a fresh certificate; its groups and messages go on. */
async function comeBack(desk: FrontDesk, account: OpenAccount, before: Self): Promise<void> {
  const { session, tokens, me, key, vaultKey, vaultVersion } = account
  const own = { current: me.deviceList, device: before.device, signatureKey: before.signature.publicKey, now: desk.clock.now() }
  const { certificate, deviceList } = await renewedList({ account: me.account, key }, own)
  await session.call(routes.devices.enrol, { body: { device: before.device, deviceList, keys: { oneTime: [] } } })
  const list = await readDeviceList(deviceList)
  await desk.store.transaction(async (writer) => {
    await saveTokens(writer, tokens())
    await saveSelf(writer, { ...before, certificate })
    await keepVault(writer, { key: vaultKey, version: vaultVersion, knowsDevice: false })
    if (list) await savePin(writer, { ...before, listVersion: list.version, listHash: list.hash, list: deviceList })
  })
}

/** A new device; what an earlier one left here stays readable, and its conversations are joined anew. */
async function enrol(desk: FrontDesk, account: OpenAccount, before: Self | undefined): Promise<void> {
  const { session, tokens, me, key, vaultKey, vaultVersion, names, deviceName } = account
  desk.step('keys')
  const owner = { account: me.account, key }
  const made = await makeDevice(desk, owner)
  // The browser lost what was here: this device is the same to the person, by its name and in its place on the list.
  const gone = before?.device ?? desk.replaces()
  const unkept = await loadUnkept(desk.store)
  const keep = (one: DeviceCertificate) => one.device !== gone && !unkept.includes(one.device) && isInTime(one, desk.clock.now())
  const deviceList = await nextDeviceList(owner, { current: me.deviceList, add: made.certificate, keep })
  desk.step('server')
  await noteUnkept(desk.store, made.device)
  await session.call(routes.devices.enrol, { body: { device: made.device, deviceList, keys: asUpload(made.keys) } })
  const { handle, accountKey, sharesPresence } = me
  const joinedLate = before ? before.joinedLate : desk.clock.now()
  const self = { account: me.account, handle, accountKey, sharesPresence, joinedLate }
  const vault = { key: vaultKey, version: vaultVersion, knowsDevice: false }
  try {
    if (before) await forgetGroups(desk)
    if (before && !equalBytes(before.accountKey, me.accountKey)) await desk.store.transaction(forgetFormerVault)
    await keepDevice(desk, { self, made, deviceList, tokens: tokens(), vault })
  } catch (error) {
    // What cannot be reached now, the next try does: it takes the place of this one.
    await takeOff(desk, account, { deviceList, device: made.device }).catch(() => undefined)
    throw error
  }
  const own = { ...self, device: made.device, signature: made.identity.signature }
  // Tried again whenever the device comes online: the device is enrolled without it.
  const access = { session, store: desk.store, memory: vaultIn(desk.store), self: own, random: desk.random }
  const name = (gone && names.get(gone)) || deviceName
  await tellVault(access, { name, ...(gone && { gone }) }).catch(() => undefined)
}

/** Nobody has the keys of the device that was enrolled just now: without this the person's list would show it for weeks. */
async function takeOff(
  desk: FrontDesk,
  { session, me, key }: OpenAccount,
  { deviceList: current, device }: { readonly deviceList: Uint8Array; readonly device: DeviceId },
): Promise<void> {
  const keep = (one: DeviceCertificate) => one.device !== device && isInTime(one, desk.clock.now())
  const deviceList = await nextDeviceList({ account: me.account, key }, { current, keep })
  await session.call(routes.devices.replaceList, { body: { deviceList } })
}

/** What an earlier device here had of its conversations, but for what was said in them. */
export async function forgetGroups({ store }: FrontDesk): Promise<void> {
  await store.transaction(async (writer) => {
    for (const table of ['group_state', 'sealed', 'attempt', 'intent', 'signal_key', 'key_package', 'counter', 'transcript'])
      await writer.run(`delete from ${table}`)
    await writer.run("update conversation set standing = 'joining', client_seq = 0 where standing in ('active', 'paused')")
  })
}

/**
 * The account began anew, and the server has erased vault and archive of before: what this device still has of them is brought there again, and
 * that they are gone is no alarm.
 */
export async function forgetFormerVault(writer: Writer): Promise<void> {
  for (const part of SHARED_PARTS) await unsettleValues(writer, part)
  await forgetArchive(writer)
}
