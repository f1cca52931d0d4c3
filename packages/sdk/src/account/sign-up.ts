/**
 * Signing up: account key, device, key packages and vault are made here, then one request creates all of it on the server.
 * Only what the server accepted is stored; whoever loses the answer signs in with what they chose.
 */
import { AccountId, readDeviceList, routes, UnlockId, type ChallengeId, type DeviceId, type WebAuthnJson } from '@tacit/contract'
import { callRoute, type Server } from '../connection/http.ts'
import { storedTokens } from '../connection/session.ts'
import { markDevicesSeen } from '../devices/new-devices.ts'
import { savePin } from '../devices/people.store.ts'
import { asUpload, markPublished, saveKeyPackages } from '../keys/key-packages.ts'
import type { StoreDriver, Writer } from '../local-store/driver.ts'
import { mintId } from '../sealing.ts'
import { signingKeyFrom } from '../signing.ts'
import { firstDeviceList, makeDevice, type NewDevice, type Workshop } from './new-device.ts'
import { mustBeStrong, startRegistration } from './password.ts'
import { forgetUnkept, noteUnkept, saveSelf, saveTokens, type Self } from './settings.ts'
import { sealPart, type VaultKey } from '../vault/parts.ts'
import { deviceSecret } from '../vault/own-vault.ts'
import { unlockPair, wrapVaultKey, type UnlockHolder, type UnlockSecret } from '../vault/unlock.ts'
import { encodeVault } from '../vault/vault.ts'
import { forgetSeen, markKnownToVault, saveSeen, saveVaultKey } from '../vault/vault.store.ts'

/** What signing up and in needs, before there is a device. */
export interface FrontDesk extends Workshop {
  readonly server: Server
  readonly store: StoreDriver
  /** The device that was here before its store was lost, if somebody remembers. */
  readonly replaces: () => DeviceId | undefined
  /** For the screen. */
  readonly step: (step: 'keys' | 'server' | 'vault' | 'conversations') => void
}

export interface PasskeySignUp {
  readonly account: AccountId
  readonly handle: string
  readonly challenge: ChallengeId
}

type Method =
  | { readonly kind: 'password'; readonly registrationRecord: string }
  | { readonly kind: 'passkey'; readonly challenge: ChallengeId; readonly response: WebAuthnJson }

interface Applicant {
  readonly account: AccountId
  readonly handle: string
  readonly method: Method
  readonly unlock: UnlockSecret & { readonly kind: 'password' | 'passkey' }
  readonly deviceName: string
}

export async function signUpWithPassword(
  desk: FrontDesk,
  { handle, password, deviceName }: { handle: string; password: string; deviceName: string },
): Promise<void> {
  mustBeStrong({ password, handle })
  desk.step('keys')
  const account = mintId(desk.random, AccountId)
  const registration = await startRegistration(password)
  const body = { account, handle, registrationRequest: registration.registrationRequest }
  const { registrationResponse } = await callRoute(desk.server, { route: routes.accounts.startPasswordSignUp, given: { body } })
  const { registrationRecord, exportKey } = registration.finish(registrationResponse)
  const method = { kind: 'password', registrationRecord } as const
  await signUp(desk, { account, handle, method, unlock: { kind: 'password', secret: exportKey }, deviceName })
}

/** First half; the ceremony itself needs a page. */
export async function beginPasskeySignUp(desk: FrontDesk, handle: string): Promise<PasskeySignUp & { readonly options: WebAuthnJson }> {
  const account = mintId(desk.random, AccountId)
  const started = await callRoute(desk.server, { route: routes.accounts.startPasskeySignUp, given: { body: { account, handle } } })
  return { account, handle, ...started }
}

export async function finishPasskeySignUp(
  desk: FrontDesk,
  done: { begun: PasskeySignUp; response: WebAuthnJson; prf: Uint8Array; deviceName: string },
): Promise<void> {
  const { account, handle, challenge } = done.begun
  desk.step('keys')
  const method = { kind: 'passkey', challenge, response: done.response } as const
  await signUp(desk, { account, handle, method, unlock: { kind: 'passkey', secret: done.prf }, deviceName: done.deviceName })
}

async function signUp(desk: FrontDesk, applicant: Applicant): Promise<void> {
  const { account, handle, method } = applicant
  const { random } = desk
  const seed = random.bytes(32)
  const key = await signingKeyFrom(seed)
  const made = await makeDevice(desk, { account, key })
  const deviceList = await firstDeviceList({ account, key }, made.certificate)
  const { vaultKey, vault, unlock } = await firstVault(desk, { applicant, seed, made })
  seed.fill(0)
  desk.step('server')
  await noteUnkept(desk.store, made.device)
  const enrolment = { device: made.device, deviceList, keys: asUpload(made.keys) }
  const body = { account, handle, accountKey: key.publicKey, method, enrolment, vault, unlock }
  const tokens = await callRoute(desk.server, { route: routes.accounts.signUp, given: { body } })
  const self = { account, handle, accountKey: key.publicKey, sharesPresence: false, joinedLate: 0 }
  await keepDevice(desk, {
    self,
    made,
    deviceList,
    tokens: storedTokens(tokens, desk.clock.now()),
    vault: { key: vaultKey, version: 1, knowsDevice: true },
  })
}

/** The vault of a new account, whom it knows, and its key encrypted to the way of signing in that was chosen. */
export async function firstVault(
  { clock, random }: FrontDesk,
  { applicant, seed, made }: { applicant: Pick<Applicant, 'account' | 'unlock' | 'deviceName'>; seed: Uint8Array; made: NewDevice },
) {
  const { account, deviceName: name } = applicant
  const { kind } = applicant.unlock
  const vaultKey: VaultKey = { key: random.bytes(32), generation: 1 }
  const [{ publicKey }, own] = await Promise.all([unlockPair(applicant.unlock, account), unlockPair(deviceSecret(made.identity), account)])
  const holder: UnlockHolder = { id: mintId(random, UnlockId), kind, publicKey }
  const contents = {
    accountKeySeed: seed,
    holders: new Map([[holder.id, { kind, publicKey, addedAt: clock.now() }]]),
    devices: new Map([[made.device, { name, publicKey: own.publicKey }]]),
    archiveKeys: new Map([[1, random.bytes(32)]]),
  }
  const vault = await sealPart({ vaultKey, name: { account, part: 'keys', version: 1 }, bytes: encodeVault(contents), random })
  return { vaultKey, vault, unlock: await wrapVaultKey(vaultKey, holder, account) }
}

/** What a device keeps of the vault it has opened. */
interface KeptVault {
  readonly key: VaultKey
  /** Of the part `keys`. */
  readonly version: number
  /** Its own public key is in it. */
  readonly knowsDevice: boolean
}

/** In the transaction that makes a device of it: the key, and that versions count from what was opened just now. */
export async function keepVault(writer: Writer, { key, version, knowsDevice }: KeptVault): Promise<void> {
  await saveVaultKey(writer, key)
  await forgetSeen(writer)
  await saveSeen(writer, 'keys', version)
  if (knowsDevice) await markKnownToVault(writer)
}

/** Stores all that makes this a signed-in device, in one transaction. */
export async function keepDevice(
  { store, clock }: Pick<FrontDesk, 'store' | 'clock'>,
  kept: {
    readonly self: Omit<Self, 'device' | 'certificate' | 'signature'>
    readonly made: NewDevice
    readonly deviceList: Uint8Array
    readonly tokens: Parameters<typeof saveTokens>[1]
    readonly vault: KeptVault
  },
): Promise<void> {
  const { self, made, deviceList } = kept
  const list = await readDeviceList(deviceList)
  if (!list) throw new TypeError('an own device list that does not read')
  const { account, handle, accountKey } = self
  await store.transaction(async (writer) => {
    await saveSelf(writer, { ...self, device: made.device, certificate: made.certificate, signature: made.identity.signature })
    await saveTokens(writer, kept.tokens)
    await keepVault(writer, kept.vault)
    await savePin(writer, { account, handle, accountKey, listVersion: list.version, listHash: list.hash, list: deviceList })
    await markDevicesSeen(writer, account)
    await saveKeyPackages(writer, { ...made.keys, now: clock.now() })
    await markPublished(writer, made.keys)
    await forgetUnkept(writer)
  })
}
