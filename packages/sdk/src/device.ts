/** A signed-in device at work: its rooms, tied together. Made from what is stored, so a restart is the same as going on. */
import { Certificates, ConversationId, limits, Refusal, routes, type AccountId, type EventFrame, type VaultPart } from '@tacit/contract'
import type { LeafIdentity, MlsEngine } from '@tacit/mls'
import type { IncomingMessage } from './api.ts'
import type { Self } from './account/settings.ts'
import { renewCertificate } from './account/renew-certificate.ts'
import { forgetTokens, loadSelf, saveSelf, saveTokens } from './account/settings.ts'
import { tidyDevices } from './account/tidy-devices.ts'
import { Connection } from './connection/connection.ts'
import type { Server } from './connection/http.ts'
import { Session, type StoredTokens } from './connection/session.ts'
import { Attendance } from './conversations/attendance.ts'
import { allConversations } from './conversations/conversation.store.ts'
import { Conversations } from './conversations/held.ts'
import { Housekeeping } from './conversations/housekeeping.ts'
import { emptyConversation, joinByWelcome } from './conversations/join-by-welcome.ts'
import { beginSeeing } from './devices/new-devices.ts'
import { People } from './devices/people.ts'
import type { Decided, DeviceCore } from './device-core.ts'
import { Duties } from './duties.ts'
import { Archive } from './archive/archive.ts'
import { VaultArchiveKeys } from './archive/archive-keys.ts'
import { Acknowledger } from './inbox/acknowledger.ts'
import { ReadingMarker } from './inbox/marker.ts'
import { receiveEntries } from './inbox/receive.ts'
import { KeyPackages } from './keys/key-packages.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { addItem, type StoredNotice } from './messages/items.store.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { Outbox } from './outbox/outbox.ts'
import { hasUndone } from './outbox/outbox.store.ts'
import { stepBackIfLost } from './rollback/step-back.ts'
import { Signals } from './signals/signals.ts'
import type { Surroundings } from './surroundings.ts'
import type { Evidence } from './transparency/key-log.store.ts'
import { KeyLog } from './transparency/key-log.ts'
import { Unreachable } from './trouble.ts'
import { LifetimeClock } from './lifetime-clock.ts'
import { blockedAccounts, settleContacts } from './vault/contacts.ts'
import { activeOf, placeOf, readOf, readPlace, readPlaces } from './vault/places.ts'
import { PRESENCE } from './vault/preferences.ts'
import { SharedState } from './vault/shared-state.ts'
import { valueOf, type SharedPart } from './vault/values.store.ts'
import { tellVault, type VaultAccess } from './vault/own-vault.ts'
import { vaultIn } from './vault/vault.store.ts'

export interface DeviceParts {
  readonly self: Self
  readonly tokens: StoredTokens | undefined
  readonly server: Server
  readonly store: StoreDriver
  readonly engine: MlsEngine
  readonly surroundings: Surroundings
  /** A conversation, or all of them, look different now. */
  readonly changed: (conversation?: ConversationId) => void
  readonly arrived: (messages: readonly IncomingMessage[]) => void
  /** The server ended the session; the keys stay. */
  readonly sessionEnded: () => void
  /** The newest own device list is stored. */
  readonly ownListRead: () => void
  /** This device has a new certificate; it is stored. */
  readonly renewed: (self: Self) => void
}

const DAY = 86_400_000

type Decision = { readonly resolve: (elsewhere: ConversationId | undefined) => void; readonly reject: (failure: unknown) => void }

export class Device {
  readonly core: DeviceCore
  readonly connection: Connection
  readonly outbox: Outbox
  readonly signals: Signals
  readonly archive: Archive
  /** What own devices have in common. */
  readonly shared: SharedState
  readonly #parts: DeviceParts
  readonly #lifetime: LifetimeClock
  readonly #keyPackages: KeyPackages
  readonly #housekeeping: Housekeeping
  readonly #acknowledger: Acknowledger
  readonly #attendance: Attendance
  readonly #decisions = new Map<number, Decision>()
  readonly #duties: Duties
  readonly #renewals = new OneAtATime()
  readonly #arrivals = new OneAtATime()
  readonly #keyLog: KeyLog
  readonly #archiveKeys: VaultArchiveKeys
  #self: Self

  constructor(parts: DeviceParts) {
    this.#lifetime = new LifetimeClock(parts.surroundings.clock)
    const surroundings = { ...parts.surroundings, clock: this.#lifetime }
    this.#parts = { ...parts, surroundings }
    this.#self = parts.self
    this.#duties = new Duties(this.#lifetime)
    const { server, store, engine } = parts
    const session = this.#openSession()
    this.connection = new Connection({
      url: server.url,
      surroundings,
      session,
      cursors: () => this.#cursors(),
      handle: (event) => this.#duties.during(this.#handle(event)),
    })
    this.#acknowledger = new Acknowledger({ clock: surroundings.clock, duties: this.#duties, wire: this.connection })
    this.#attendance = new Attendance({
      store,
      clock: surroundings.clock,
      isOnline: () => this.connection.isOnline,
      tick: () => void this.#housekeeping.lookEverywhere().catch(() => undefined),
    })
    this.#keyLog = new KeyLog({ store, session, clock: surroundings.clock, alarm: (alarm) => this.#keyLogAlarm(alarm) })
    this.core = this.#makeCore(session)
    this.outbox = new Outbox(this.core)
    this.signals = new Signals(this.core, parts.changed)
    this.#archiveKeys = new VaultArchiveKeys(() => ({ session, random: surroundings.random, memory: vaultIn(store), self: this.#self }))
    this.archive = new Archive({ core: this.core, keys: this.#archiveKeys, changed: parts.changed })
    this.shared = new SharedState({
      core: this.core,
      access: () => this.vault,
      settle: async (writer, part) => (part === 'people' ? settleContacts(writer) : undefined),
      changed: (part, here) => (part === 'places' && here ? this.#placesChangedHere(here) : this.#sharedChanged(part)),
      rolledBack: () => this.#tellEverywhere({ kind: 'tampering', what: 'rollback' }),
    })
    this.#keyPackages = new KeyPackages({ store, engine, identity: () => this.core.identity, session, clock: surroundings.clock })
    this.#housekeeping = new Housekeeping(this.core, {
      commit: (conversation) => this.outbox.lane(conversation).commit(),
      sayTitle: (conversation, title) => this.outbox.queue({ conversation, kind: 'title', text: title }),
    })
    this.connection.state.subscribe(() => this.#connectionChanged())
  }

  /** Origin of the server. */
  get serverUrl(): string {
    return this.#parts.server.url
  }

  /** What changing the vault takes; of the device as it is now. */
  get vault(): VaultAccess & { readonly clock: Surroundings['clock'] } {
    const { session, random, store, clock } = this.core
    return { session, random, memory: vaultIn(store), self: this.#self, clock }
  }

  start(): void {
    this.connection.start()
    this.#keepUpDaily()
  }

  /** Something that is shown in many places changed. */
  looksDifferent(): void {
    this.#parts.changed()
  }

  /** Stops; what runs now still ends, and nothing new begins. */
  stop(): void {
    this.connection.stop()
    this.outbox.close()
    this.signals.close()
    this.shared.disconnected()
    this.archive.close()
    this.#attendance.left()
    this.#housekeeping.disconnected()
    for (const { reject } of this.#decisions.values()) reject(new Unreachable('the device stopped'))
    this.#decisions.clear()
    this.#duties.close()
    this.#lifetime.end()
  }

  /** How far this device has read in a conversation is how far its person has. */
  async readHere(conversation: ConversationId): Promise<void> {
    const seq = await this.core.conversations.hold(conversation, async ({ state }) => state?.readSeq ?? 0)
    if (seq > ((await readPlace(this.core.store, conversation)) ?? 0)) await this.shared.set('places', { [readOf(conversation)]: seq })
  }

  async #placesChangedHere(names: readonly string[]): Promise<void> {
    for (const conversation of names.map(placeOf)) if (conversation) this.#parts.changed(conversation)
  }

  async #sharedChanged(part: SharedPart): Promise<void> {
    if (part === 'places') for (const place of await readPlaces(this.core.store)) await this.#readElsewhere(place)
    if (part === 'settings') await this.#presenceElsewhere()
    this.looksDifferent()
  }

  /** What was read at another own device is read. */
  async #readElsewhere({ conversation, seq }: { readonly conversation: ConversationId; readonly seq: number }): Promise<void> {
    await this.core.conversations.hold(conversation, async (hold) => {
      const { state } = hold
      const readSeq = Math.min(seq, state?.cursor ?? 0)
      if (state && readSeq > state.readSeq) await hold.store({ state: { ...state, readSeq }, write: async () => undefined })
    })
  }

  async #presenceElsewhere(): Promise<void> {
    const shares = await valueOf(this.core.store, 'settings', PRESENCE)
    if (typeof shares !== 'boolean' || shares === this.#self.sharesPresence) return
    this.#self = await this.core.store.transaction(async (writer) => {
      const changed = { ...((await loadSelf(writer)) ?? this.#self), sharesPresence: shares }
      await saveSelf(writer, changed)
      return changed
    })
    this.#parts.renewed(this.#self)
  }

  /**
   * Waits until this device has done for the others what it can: sent what waits, told how far it is, committed what is its
   * turn. At most `within` milliseconds. `waiting`: something is left, because of time, the network, or somebody else.
   */
  async settle(within: number): Promise<'settled' | 'waiting'> {
    const { clock, store } = this.core
    const end = clock.now() + within
    await this.#reached(within)
    this.archive.hurry()
    if (this.connection.isOnline) await this.#duties.rest(Math.max(0, end - clock.now()))
    return this.connection.isOnline && !(await hasUndone(store)) ? 'settled' : 'waiting'
  }

  /** Resolves when the server is there, or will not be for now. */
  #reached(within: number): Promise<void> {
    const { state } = this.connection
    return new Promise((resolve) => {
      const look = (): void => {
        const { kind } = state.get()
        if (kind !== 'connecting' && kind !== 'catching_up') end()
      }
      const end = (): void => {
        stopTimer()
        stop()
        resolve()
      }
      const stopTimer = this.core.clock.after(within, end)
      const stop = state.subscribe(look)
      look()
    })
  }

  /** Resolves when the intent is true, with the conversation in which it is if that is another; rejects when it never will be. */
  decision(intent: number): Promise<ConversationId | undefined> {
    return new Promise((resolve, reject) => this.#decisions.set(intent, { resolve, reject }))
  }

  #openSession(): Session {
    const { server, surroundings, tokens, store, sessionEnded } = this.#parts
    return new Session({
      server,
      clock: surroundings.clock,
      tokens,
      save: (renewed) => store.transaction((writer) => saveTokens(writer, renewed)),
      ended: () => void store.transaction(forgetTokens).then(sessionEnded, sessionEnded),
    })
  }

  #makeCore(session: Session): DeviceCore {
    const { self, store, engine, surroundings, changed } = this.#parts
    const { connection } = this
    const identity = (): LeafIdentity => ({ credential: this.#self.certificate, signature: this.#self.signature })
    return {
      ...surroundings,
      account: self.account,
      device: self.device,
      get identity() {
        return identity()
      },
      engine,
      store,
      session,
      wire: connection,
      certificates: new Certificates(),
      people: new People({
        store,
        session,
        keyLog: this.#keyLog,
        renamed: () => changed(),
        identityChanged: (account) => this.#identityChanged(account),
      }),
      duties: this.#duties,
      conversations: new Conversations({
        store,
        engine,
        identity,
        changed: (conversation) => {
          changed(conversation)
          this.archive.gather()
        },
      }),
      marker: new ReadingMarker(store),
      attendance: this.#attendance,
      wake: (conversation) => this.outbox.lane(conversation).wake(),
      acknowledge: (conversation, seq) => this.#acknowledger.stored(conversation, seq),
      withhold: (conversation, seq) => this.#acknowledger.withhold(conversation, seq),
      release: (conversation) => this.#acknowledger.release(conversation),
      lastResortUsed: () => void this.#keyPackages.refill().catch(() => undefined),
      decided: (intent, outcome) => this.#decided(intent, outcome),
      headsHeard: () => void this.#duties.during(this.#keyLog.judgeHeard()).catch(() => undefined),
      received: (conversation, messages) => this.#received(conversation, messages),
    }
  }

  async #cursors() {
    const states = await allConversations(this.core.store)
    const followed = states.filter(({ standing }) => standing === 'active' || standing === 'paused')
    return followed.slice(0, limits.cursorsPerFrame).map(({ conversation, cursor }) => ({ conversation, seq: cursor }))
  }

  async #handle(event: EventFrame): Promise<void> {
    const { core } = this
    switch (event.name) {
      case 'delivery.entries':
        return receiveEntries(core, event.body.conversation, event.body.entries)
      case 'conversations.welcome':
        return joinByWelcome(core, event.body)
      case 'conversations.changed':
        return this.#mayJoin(event.body)
      case 'signals.signal':
        return this.signals.take(event.body)
      case 'signals.presence':
        return this.signals.presence(event.body)
      case 'devices.changed':
        return this.#listChanged(event.body.account)
      case 'keys.low':
        return void this.#keyPackages.refill().catch(() => undefined)
      case 'turns.yours':
        return this.#housekeeping.granted(event.body.conversation)
      case 'archive.changed':
        return this.archive.announced(event.body.version)
      case 'vault.changed':
        return this.#vaultChanged(event.body)
      case 'connection.ending':
      case 'delivery.caughtUp':
        return undefined
    }
  }

  async #vaultChanged({ part, version }: { readonly part: VaultPart; readonly version: number }): Promise<void> {
    if (part === 'keys') return this.#archiveKeys.changed()
    // What is not fetched now is fetched with the next change, or when the device comes online again.
    await this.shared.heard(part, version).catch(() => undefined)
  }

  #connectionChanged(): void {
    const { kind } = this.connection.state.get()
    if (kind === 'catching_up') return
    if (kind !== 'online') {
      this.#acknowledger.disconnected()
      this.#attendance.left()
      this.#housekeeping.disconnected()
      this.shared.disconnected()
      return this.signals.disconnected()
    }
    // First: whoever asks from now on hears of the absence that ends here.
    this.#attendance.arrived()
    const found = this.#findConversations()
    // Each of these goes on with the next socket when this one ends.
    const tasks = [
      found,
      // The archive says less of a conversation than the server does, so it comes second.
      found.catch(() => undefined).then(() => this.#archiveArrived()),
      this.outbox.resume(),
      this.signals.receipts.resume(),
      this.#keyPackages.refill(),
      this.#keepUp(),
      this.shared.resume(),
    ]
    for (const task of tasks) void this.#duties.during(task).catch(() => undefined)
  }

  #archiveArrived(): Promise<void> {
    // A new key may have come while nobody could tell.
    this.#archiveKeys.changed()
    return this.archive.arrived()
  }

  /** What is due by time alone, and what others changed while this device was away. */
  async #keepUp(): Promise<void> {
    // A certificate that cannot be renewed now is renewed another day; there are many.
    await this.#renew().catch(() => undefined)
    await tellVault({ ...this.vault, store: this.core.store }).catch(() => undefined)
    await this.#tidy().catch(() => undefined)
    await this.#lookAround()
  }

  /** Once a day: the day on which it was done is the day on which this device was in use. */
  #tidy(): Promise<void> {
    return this.#renewals.run(async () => {
      const { clock, people, account, store, device } = this.core
      const today = Math.floor(clock.now() / DAY)
      if ((await valueOf(store, 'places', activeOf(device))) === today) return
      // What others have said of themselves is here before anybody is judged.
      await this.shared.resume()
      const gone = await tidyDevices({ ...this.vault, store, refreshList: () => people.refresh(account) })
      const without = Object.fromEntries(gone.map((one) => [activeOf(one), undefined]))
      await this.shared.set('places', { ...without, [activeOf(device)]: today })
    })
  }

  /** Looks whether the certificate has to be renewed, and does it. */
  #renew(): Promise<void> {
    return this.#renewals.run(async () => {
      const renewed = await renewCertificate({ ...this.vault, store: this.core.store, self: this.#self })
      if (!renewed) return
      this.#self = renewed
      await this.core.conversations.identityChanged()
      this.#parts.renewed(renewed)
    })
  }

  /** A device may stay online for longer than its certificate lasts. */
  #keepUpDaily(): void {
    this.core.clock.after(DAY, () => {
      if (this.connection.isOnline) void this.#keepUp().catch(() => undefined)
      this.#keepUpDaily()
    })
  }

  async #lookAround(): Promise<void> {
    const { people, store, account } = this.core
    await store.transaction((writer) => beginSeeing(writer, account))
    await people.refresh(account)
    this.#parts.ownListRead()
    await this.#keyLog.judgeHeard()
    await this.#housekeeping.lookEverywhere()
  }

  /** Conversations of the account that this device has not joined. */
  async #findConversations(): Promise<void> {
    const { session } = this.core
    let after: ConversationId | undefined
    do {
      const query = { limit: limits.conversationsPerPage, ...(after && { after }) }
      const { conversations } = await session.call(routes.conversations.list, { query })
      for (const found of conversations) await this.#compare(found)
      after = conversations.length === limits.conversationsPerPage ? conversations.at(-1)?.conversation : undefined
    } while (after)
  }

  /** What the server says of a conversation, beside what this device has. */
  async #compare(found: { conversation: ConversationId; kind: 'direct' | 'group'; head: number; joined: boolean }): Promise<void> {
    if (!found.joined) return this.#mayJoin(found)
    const cursor = await this.core.conversations.hold(found.conversation, async ({ state }) => state?.cursor ?? 0)
    if (found.head < cursor) await stepBackIfLost(this.core, found.conversation)
  }

  /** This account is a member and this device is not: it joins by itself, unless a Welcome comes first. */
  async #mayJoin({ conversation, kind }: { conversation: ConversationId; kind: 'direct' | 'group' }): Promise<void> {
    await this.core.conversations.hold(conversation, async (hold) => {
      const { state } = hold
      if (state && state.standing !== 'left' && state.standing !== 'removed') return
      const empty = emptyConversation({ conversation, kind, now: this.core.clock.now() })
      const joining = state ? { ...state, standing: 'joining' as const } : empty
      await hold.store({ state: joining, write: async () => undefined })
    })
    this.core.wake(conversation)
  }

  async #listChanged(account: AccountId): Promise<void> {
    await this.core.people.refresh(account).catch((error: unknown) => {
      if (error instanceof Refusal || error instanceof Unreachable) return
      throw error
    })
    if (account === this.core.account) await this.#lookAround().catch(() => undefined)
  }

  #received(conversation: ConversationId, messages: readonly IncomingMessage[]): void {
    if (messages.length > 0) void this.#arrivals.run(() => this.#arrived(conversation, messages))
    for (const { sender, mine } of messages) if (!mine) this.signals.typing.heard({ conversation, account: sender.account, on: false })
    this.signals.receipts.schedule(conversation)
    this.archive.gather()
    void this.signals.retry(conversation).catch(() => undefined)
    void this.#housekeeping.look(conversation).catch(() => undefined)
  }

  /** Tells of messages, but for those of people who are blocked; and what another own device has read of them already is read. */
  async #arrived(conversation: ConversationId, messages: readonly IncomingMessage[]): Promise<void> {
    const seq = await readPlace(this.core.store, conversation).catch(() => undefined)
    if (seq !== undefined) await this.#readElsewhere({ conversation, seq }).catch(() => undefined)
    const blocked = await blockedAccounts(this.core.store).catch(() => new Set())
    const shown = messages.filter(({ sender }) => !blocked.has(sender.account))
    if (shown.length > 0) this.#parts.arrived(shown)
  }

  #decided(intent: number, outcome: Decided = { kind: 'true' }): void {
    const waiting = this.#decisions.get(intent)
    this.#decisions.delete(intent)
    if (outcome.kind === 'never') waiting?.reject(outcome.why)
    else waiting?.resolve(outcome.kind === 'elsewhere' ? outcome.conversation : undefined)
  }

  /** Cannot be missed: a line in every conversation with that person. */
  async #identityChanged(person: AccountId): Promise<void> {
    await this.#tellEverywhere({ kind: 'identity_changed', person }, person)
  }

  /** A line where it was found out; in every conversation that it concerns when it was not found out in one. */
  async #keyLogAlarm({ conversation, account }: Pick<Evidence, 'conversation' | 'account'>): Promise<void> {
    await this.#tellEverywhere({ kind: 'tampering', what: 'key_log' }, account, conversation)
  }

  /** Adds a line to conversations: those with a person, or all; or one of them. */
  async #tellEverywhere(notice: StoredNotice, person?: AccountId, only?: ConversationId): Promise<void> {
    const sql = 'select distinct conversation from member where account = ?'
    const withPerson = person && new Set((await this.core.store.all(sql, [person])).map((row) => row['conversation']))
    const time = this.core.clock.now()
    for (const { conversation, cursor } of await allConversations(this.core.store)) {
      if (only ? conversation !== only : withPerson && !withPerson.has(conversation)) continue
      await this.core.store.transaction((writer) => addItem(writer, { conversation, seq: cursor, time, item: { kind: 'notice', notice } }))
      this.#parts.changed(conversation)
    }
  }
}
