/** Coming and going: opening what is stored, signing up, in and out, the end of a session, closing. One at a time. */
import type { ConversationId, DeviceId, WebAuthnJson } from '@tacit/contract'
import type { MlsEngine } from '@tacit/mls'
import { toBase64Url } from '@tacit/contract'
import { enterByCode, resetAccount, type LockedOut } from './account/reset.ts'
import {
  beginPasskeySignIn,
  enterLinked,
  finishPasskeySignIn,
  LockedOutError,
  signInWithKit,
  signInWithPassword,
} from './account/sign-in.ts'
import { sayGoodbye } from './account/sign-out.ts'
import { beginPasskeySignUp, finishPasskeySignUp, signUpWithPassword, type FrontDesk, type PasskeySignUp } from './account/sign-up.ts'
import { loadSelf, loadTokens, type Self } from './account/settings.ts'
import { MessengerError, type IncomingMessage, type SessionState, type Verbs } from './api.ts'
import type { Server } from './connection/http.ts'
import { Device } from './device.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { migrate } from './local-store/schema.ts'
import { Linking } from './linking/linking.ts'
import { linkVerbs } from './linking/verbs.ts'
import { OneAtATime } from './one-at-a-time.ts'
import type { Surroundings } from './surroundings.ts'
import type { SignedIn } from './verbs.ts'
import { beginPasskey, finishPasskey } from './vault/unlock-methods.ts'
import { remembered } from './vault/vault.store.ts'
import { Views } from './views.ts'

export interface DoorParts {
  readonly server: Server
  readonly store: StoreDriver
  readonly reopenStore: (() => Promise<StoreDriver>) | undefined
  readonly replaces: () => DeviceId | undefined
  readonly engine: MlsEngine
  readonly surroundings: Surroundings
  readonly arrived: (messages: readonly IncomingMessage[]) => void
}

export type DoorVerbs = Pick<
  Verbs,
  | 'signUp'
  | 'signIn'
  | 'signInWithKit'
  | 'enterRecoveryCode'
  | 'resetAccount'
  | 'signOut'
  | 'beginAddPasskey'
  | 'finishAddPasskey'
  | 'beginPasskeySignUp'
  | 'finishPasskeySignUp'
  | 'beginPasskeySignIn'
  | 'finishPasskeySignIn'
  | 'beginLinking'
  | 'claimLink'
  | 'approveLink'
  | 'cancelLinking'
  | 'loadEarlier'
>

type Ceremony =
  | { readonly kind: 'sign_up'; readonly begun: PasskeySignUp }
  | { readonly kind: 'sign_in' | 'add'; readonly challenge: PasskeySignUp['challenge'] }

/** How long signing out may wait for the newest messages to be archived, in milliseconds. */
const FAREWELL = 5000

export class Door {
  readonly views: Views
  readonly verbs: DoorVerbs
  readonly #parts: DoorParts
  readonly #turns = new OneAtATime()
  readonly #linking: Linking
  #store: StoreDriver
  #signedIn: (SignedIn & { readonly stopMirror: () => void }) | undefined
  /** The newest ceremony; a person has one pair of hands. */
  #ceremony: { readonly name: string; readonly what: Ceremony } | undefined
  /** Signed in at the server with a vault that does not open; they may begin anew. */
  #lockedOut: LockedOut | undefined
  #erased = false

  constructor(parts: DoorParts) {
    this.#parts = parts
    this.#store = parts.store
    this.views = new Views(() => this.#shown())
    this.#linking = new Linking(this.views.linking)
    this.verbs = { ...this.#makeVerbs(), ...this.#linkVerbs() }
  }

  open(): Promise<void> {
    return this.#turns.run(async () => {
      await migrate(this.#store)
      await this.#goOn('fresh')
    })
  }

  close(): Promise<void> {
    // Nobody waits here any more for another device to come.
    this.#linking.drop()
    return this.#turns.run(async () => {
      const marker = this.#signedIn?.device.core.marker
      this.#leave()
      await marker?.end()
      await this.#store.close()
    })
  }

  mustBeSignedIn(): SignedIn {
    if (!this.#signedIn) throw new MessengerError('not_signed_in', 'Nobody is signed in.')
    return this.#signedIn
  }

  #makeVerbs(): Omit<DoorVerbs, keyof ReturnType<typeof linkVerbs>> {
    return {
      signUp: ({ handle, password, deviceName }) =>
        this.#enter((desk) => signUpWithPassword(desk, { handle: handle.trim(), password, deviceName: named(deviceName) })),
      signIn: ({ handle, password, deviceName }) =>
        this.#enter((desk) => signInWithPassword(desk, { handle: handle.trim(), password, deviceName: named(deviceName) })),
      signInWithKit: ({ kit, deviceName }) => this.#enter((desk) => signInWithKit(desk, { kit, deviceName: named(deviceName) })),
      enterRecoveryCode: async ({ handle, code }) => {
        this.#lockedOut = await enterByCode(this.#desk(), { handle: handle.trim(), code })
      },
      resetAccount: async ({ password, deviceName }) => {
        const lockedOut = this.#lockedOut
        if (!lockedOut) throw new MessengerError('expired', 'Sign in first; what cannot be opened can be begun anew after that.')
        await this.#enter((desk) => resetAccount(desk, { ...lockedOut, password, deviceName: named(deviceName) }))
        this.#lockedOut = undefined
      },
      signOut: () => this.#turns.run(() => this.#signOut()),
      beginPasskeySignUp: async ({ handle }) => {
        const { options, ...begun } = await beginPasskeySignUp(this.#desk(), handle.trim())
        return this.#beginCeremony({ kind: 'sign_up', begun }, options)
      },
      finishPasskeySignUp: async ({ ceremony, response, prf, deviceName }) => {
        const what = this.#finishCeremony(ceremony, prf)
        if (what.kind !== 'sign_up') throw ceremonyOver()
        await this.#enter((desk) => finishPasskeySignUp(desk, { begun: what.begun, response, prf, deviceName: named(deviceName) }))
      },
      beginPasskeySignIn: async () => {
        const { options, challenge } = await beginPasskeySignIn(this.#desk())
        return this.#beginCeremony({ kind: 'sign_in', challenge }, options)
      },
      finishPasskeySignIn: async ({ ceremony, response, prf, deviceName }) => {
        const what = this.#finishCeremony(ceremony, prf)
        if (what.kind !== 'sign_in') throw ceremonyOver()
        await this.#enter((desk) => finishPasskeySignIn(desk, { challenge: what.challenge, response, prf, deviceName: named(deviceName) }))
      },
      beginAddPasskey: async () => {
        const { options, challenge } = await beginPasskey(this.mustBeSignedIn().device.vault)
        return this.#beginCeremony({ kind: 'add', challenge }, options)
      },
      finishAddPasskey: async ({ ceremony, response, prf }) => {
        const what = this.#finishCeremony(ceremony, prf)
        if (what.kind !== 'add') throw ceremonyOver()
        await finishPasskey(this.mustBeSignedIn().device.vault, { challenge: what.challenge, response, prf })
      },
      loadEarlier: (request) => this.views.loadEarlier(request),
    }
  }

  #linkVerbs() {
    const { server, surroundings } = this.#parts
    return linkVerbs({
      ...surroundings,
      server,
      linking: this.#linking,
      state: this.views.linking,
      signedIn: () => (this.views.session.get().kind === 'session_ended' ? undefined : this.#signedIn),
      admitted: (admission, deviceName) => this.#enter((desk) => enterLinked(desk, { ...admission, deviceName: named(deviceName) })),
    })
  }

  #beginCeremony(what: Ceremony, options: WebAuthnJson) {
    const name = toBase64Url(this.#parts.surroundings.random.bytes(16))
    this.#ceremony = { name, what }
    return { ceremony: name, options }
  }

  #finishCeremony(name: string, prf: Uint8Array): Ceremony {
    const ceremony = this.#ceremony
    this.#ceremony = undefined
    if (ceremony?.name !== name) throw ceremonyOver()
    if (prf.length !== 32) throw new MessengerError('passkey_without_prf', 'This authenticator cannot keep the vault key.')
    return ceremony.what
  }

  #desk(): FrontDesk {
    const { server, engine, surroundings, replaces } = this.#parts
    const { clock, random } = surroundings
    return {
      server,
      engine,
      clock,
      random,
      replaces,
      store: this.#store,
      step: (step) => this.views.session.set({ kind: 'signing_in', step }),
    }
  }

  /** Signs up or in by `how`; what was before comes back when that fails. */
  #enter(how: (desk: FrontDesk) => Promise<void>): Promise<void> {
    return this.#turns.run(async () => {
      const before = this.views.session.get()
      if (this.#signedIn && before.kind !== 'session_ended')
        throw new MessengerError('not_allowed', 'Somebody is signed in. Sign out first.')
      // Whoever comes in otherwise needs no link any more.
      if (this.views.linking.get().kind !== 'finishing') this.#linking.drop()
      await this.#reopen()
      try {
        await how(this.#desk())
      } catch (error) {
        this.views.session.set(before)
        if (error instanceof LockedOutError) this.#lockedOut = error
        throw error
      }
      this.#leave()
      await this.#goOn('fresh')
    })
  }

  async #reopen(): Promise<void> {
    if (!this.#erased) return
    const { reopenStore } = this.#parts
    if (!reopenStore) throw new MessengerError('storage', 'The local database was erased. Open the messenger again.')
    this.#store = await reopenStore()
    await migrate(this.#store)
    this.#erased = false
  }

  /** Goes on from what is stored. */
  async #goOn(otherwise: Extract<SessionState, { kind: 'signed_out' }>['why']): Promise<void> {
    const self = await loadSelf(this.#store)
    const tokens = self && (await loadTokens(this.#store))
    if (!self) return this.views.session.set({ kind: 'signed_out', why: otherwise })
    const { server, engine, surroundings, arrived } = this.#parts
    const device = new Device({
      self,
      tokens,
      server,
      store: this.#store,
      engine,
      surroundings,
      changed: (conversation?: ConversationId) => this.views.changed(conversation),
      arrived,
      sessionEnded: () => void this.#turns.run(async () => this.#sessionEnded(device)),
      ownListRead: () => this.views.newDevices.refresh(),
      renewed: (renewed) => this.#signedIn?.device === device && this.#selfChanged(renewed),
    })
    const mirror = () => this.views.connection.reach.set(device.connection.state.get())
    const stopReach = device.connection.state.subscribe(mirror)
    const stopHistory = device.archive.state.subscribe(() => this.views.history.set(device.archive.state.get()))
    const stopMirror = () => {
      stopReach()
      stopHistory()
    }
    this.#signedIn = { device, self, stopMirror, selfChanged: (changed) => this.#selfChanged(changed) }
    if (tokens) {
      this.views.session.set(signedInState(self))
      device.start()
    } else this.#sessionEnded(device)
    this.views.changed()
  }

  #selfChanged(self: Self): void {
    if (!this.#signedIn) return
    this.#signedIn.self = self
    this.views.session.set(signedInState(self))
    this.views.changed()
  }

  /** What is here stays readable; writing goes on once somebody signs in again. */
  #sessionEnded(device: Device): void {
    if (this.#signedIn?.device !== device) return
    const { self } = this.#signedIn
    device.connection.stop()
    this.views.session.set({ kind: 'session_ended', me: { account: self.account, handle: self.handle }, device: self.device })
  }

  async #signOut(): Promise<void> {
    const { self, device } = this.mustBeSignedIn()
    const { session, random, clock, store } = device.core
    const wasOnline = device.connection.isOnline
    await device.archive.finish(FAREWELL)
    device.stop()
    const leaving = { session, self, random, clock, memory: await remembered(store) }
    const told = this.views.session.get().kind === 'signed_in' ? sayGoodbye(leaving) : undefined
    // Offline, nobody waits for the server: it hears of it when it can be reached, while this process lives.
    if (wasOnline) await told
    this.#leave()
    await this.#store.wipe()
    this.#erased = true
    this.views.session.set({ kind: 'signed_out', why: 'signed_out' })
    this.views.changed()
  }

  #leave(): void {
    if (this.#signedIn) this.#linking.drop()
    this.#signedIn?.device.stop()
    this.#signedIn?.stopMirror()
    this.#signedIn = undefined
    this.views.connection.reach.set({ kind: 'offline' })
    this.views.history.set(undefined)
  }

  #shown() {
    if (!this.#signedIn) return undefined
    const { device, self } = this.#signedIn
    const { typing } = device.signals
    return {
      store: this.#store,
      suite: this.#parts.engine.suiteName,
      me: self,
      ephemeral: {
        me: self.account,
        sharesPresence: self.sharesPresence,
        typing: (conversation: ConversationId) => typing.in(conversation),
        isOnline: (account: Self['account']) => device.signals.isOnline(account),
      },
    }
  }
}

const signedInState = (self: Self): SessionState => ({
  kind: 'signed_in',
  me: { account: self.account, handle: self.handle },
  device: self.device,
  sharesPresence: self.sharesPresence,
  ...(self.joinedLate > 0 && { joinedLate: { since: self.joinedLate } }),
})

const named = (deviceName: string | undefined): string => deviceName ?? 'Device'

const ceremonyOver = () => new MessengerError('expired', 'This passkey ceremony is over. Begin again.')
