/** A signed-in device at work: its rooms, tied together. Made from what is stored, so a restart is the same as going on. */
import { Certificates, limits, Refusal, type AccountId, type ConversationId, type EventFrame, type VaultPart } from '@tacit/contract'
import type { LeafIdentity, MlsEngine } from '@tacit/mls'
import type { IncomingMessage } from './api.ts'
import type { Self } from './account/settings.ts'
import { forgetTokens, saveTokens } from './account/settings.ts'
import { Upkeep } from './account/upkeep.ts'
import { Connection } from './connection/connection.ts'
import type { Server } from './connection/http.ts'
import { Session, type StoredTokens } from './connection/session.ts'
import { Attendance } from './conversations/attendance.ts'
import { followedCursors } from './conversations/conversation.store.ts'
import { findConversations, findConversationsAgain, mayJoin } from './conversations/found.ts'
import { Conversations } from './conversations/held.ts'
import { Housekeeping } from './conversations/housekeeping.ts'
import { joinByWelcome } from './conversations/join-by-welcome.ts'
import { Removals } from './conversations/removals.ts'
import { People } from './devices/people.ts'
import type { DeviceCore } from './device-core.ts'
import { Duties } from './duties.ts'
import { Archive } from './archive/archive.ts'
import { VaultArchiveKeys } from './archive/archive-keys.ts'
import { Acknowledger } from './inbox/acknowledger.ts'
import { ReadingMarker } from './inbox/marker.ts'
import { receiveEntries } from './inbox/receive.ts'
import { KeyPackages } from './keys/key-packages.ts'
import type { StoreDriver } from './local-store/driver.ts'
import type { StoredNotice } from './messages/items.store.ts'
import { tellEverywhere } from './messages/tell-everywhere.ts'
import { toldMessages } from './messages/told.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { Decisions } from './outbox/decisions.ts'
import { Outbox } from './outbox/outbox.ts'
import { TakenUp } from './requests/taken-up.ts'
import { settle } from './settle.ts'
import { Signals } from './signals/signals.ts'
import type { Surroundings } from './surroundings.ts'
import type { Evidence } from './transparency/key-log.store.ts'
import { KeyLog } from './transparency/key-log.ts'
import { Unreachable } from './trouble.ts'
import { LifetimeClock } from './lifetime-clock.ts'
import { takePresenceChoice, takeReading, tellReading } from './vault/elsewhere.ts'
import { placeOf, readPlace, readPlaces } from './vault/places.ts'
import { SharedState } from './vault/shared-state.ts'
import type { SharedPart } from './vault/values.store.ts'
import type { VaultAccess } from './vault/own-vault.ts'
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

export class Device {
  readonly core: DeviceCore
  readonly connection: Connection
  readonly outbox: Outbox
  readonly signals: Signals
  readonly archive: Archive
  /** Those that wait for the log. */
  readonly removals: Removals
  /** What own devices have in common. */
  readonly shared: SharedState
  readonly decisions = new Decisions()
  readonly #parts: DeviceParts
  readonly #lifetime: LifetimeClock
  readonly #keyPackages: KeyPackages
  readonly #housekeeping: Housekeeping
  readonly #acknowledger: Acknowledger
  readonly #attendance: Attendance
  readonly #takenUp = new TakenUp((conversation) => this.#goOnIn(conversation))
  readonly #duties: Duties
  readonly #upkeep: Upkeep
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
      cursors: () => followedCursors(store, limits.cursorsPerFrame),
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
      settle: async (writer, part) => (part === 'people' ? this.#takenUp.settle(writer) : undefined),
      changed: (part, here) => (part === 'places' && here ? this.#placesChangedHere(here) : this.#sharedChanged(part)),
      rolledBack: () => this.#tell({ kind: 'tampering', what: 'rollback' }),
    })
    this.#keyPackages = new KeyPackages({ store, engine, identity: () => this.core.identity, session, clock: surroundings.clock })
    this.#housekeeping = new Housekeeping(this.core, {
      commit: (conversation) => this.outbox.lane(conversation).commit(),
      sayTitle: (conversation, title) => this.outbox.queue({ conversation, kind: 'title', text: title }),
    })
    this.#upkeep = this.#makeUpkeep()
    this.removals = new Removals({ store, clock: surroundings.clock, changed: parts.changed })
    this.connection.state.subscribe(() => this.#connectionChanged())
  }

  /** Origin of the server. */
  get serverUrl(): string {
    return this.#parts.server.url
  }

  /** What changing the vault takes; of the device as it is now. */
  get vault(): VaultAccess & { readonly self: Self; readonly clock: Surroundings['clock'] } {
    const { session, random, store, clock } = this.core
    return { session, random, memory: vaultIn(store), self: this.#self, clock }
  }

  start(): void {
    this.connection.start()
    this.#upkeep.startDaily()
  }

  /** Something shown in many places changed. */
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
    this.removals.disconnected()
    this.#attendance.left()
    this.#housekeeping.disconnected()
    this.decisions.end(new Unreachable('the device stopped'))
    this.#duties.close()
    this.#lifetime.end()
  }

  /** How far this device has read in a conversation is how far its person has. */
  readHere(conversation: ConversationId): Promise<void> {
    return tellReading(this.core, this.shared, conversation)
  }

  async #placesChangedHere(names: readonly string[]): Promise<void> {
    for (const conversation of names.map(placeOf)) if (conversation) this.#parts.changed(conversation)
  }

  async #sharedChanged(part: SharedPart): Promise<void> {
    if (part === 'places') for (const place of await readPlaces(this.core.store)) await takeReading(this.core, place)
    if (part === 'settings') await this.#presenceElsewhere()
    if (part === 'people') await this.#takenUp.goOn()
    this.looksDifferent()
  }

  #goOnIn(conversation: ConversationId): Promise<void> {
    this.signals.receipts.schedule(conversation)
    this.core.wake(conversation)
    this.archive.gather()
    return this.#housekeeping.look(conversation)
  }

  async #presenceElsewhere(): Promise<void> {
    const changed = await takePresenceChoice(this.core.store, this.#self)
    if (!changed) return
    this.#self = changed
    this.#parts.renewed(changed)
  }

  /** Waits until this device has done for the others what it can (settle.ts); at most `within` milliseconds. */
  settle(within: number): Promise<'settled' | 'waiting'> {
    return settle(
      { core: this.core, connection: this.connection, archive: this.archive, duties: this.#duties, acknowledger: this.#acknowledger },
      within,
    )
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
        self: self.account,
        renamed: () => changed(),
        identityChanged: (person) => this.#tell({ kind: 'identity_changed', person }, { person }),
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
      decided: (intent, outcome) => this.decisions.decided(intent, outcome),
      noted: () => void this.shared.noted('people').catch(() => undefined),
      headsHeard: () => void this.#duties.during(this.#keyLog.judgeHeard()).catch(() => undefined),
      received: (conversation, messages) => this.#received(conversation, messages),
    }
  }

  #makeUpkeep(): Upkeep {
    return new Upkeep({
      core: this.core,
      shared: this.shared,
      vault: () => this.vault,
      renewed: async (self) => {
        this.#self = self
        await this.core.conversations.identityChanged()
        this.#parts.renewed(self)
      },
      ownListRead: this.#parts.ownListRead,
      lookEverywhere: () => this.#housekeeping.lookEverywhere(),
      judgeHeads: () => this.#keyLog.judgeHeard(),
    })
  }

  async #handle(event: EventFrame): Promise<void> {
    const { core } = this
    switch (event.name) {
      case 'delivery.entries':
        this.#acknowledger.received(event.body.entries)
        return receiveEntries(core, event.body.conversation, event.body.entries)
      case 'conversations.welcome':
        return joinByWelcome(core, event.body)
      case 'conversations.changed':
        return mayJoin(core, event.body)
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
    if (kind === 'catching_up') return this.removals.connected()
    if (kind !== 'online') {
      this.removals.disconnected()
      this.#acknowledger.disconnected()
      this.#attendance.left()
      this.#housekeeping.disconnected()
      this.shared.disconnected()
      return this.signals.disconnected()
    }
    // First: whoever asks from now on hears of the absence that ends here.
    this.#attendance.arrived()
    // What own devices know of people comes first, so that no conversation stands for a moment where it does not belong.
    const shared = this.shared.resume()
    const found = shared.catch(() => undefined).then(() => findConversations(this.core))
    // Each of these goes on with the next socket when this one ends.
    const tasks = [
      found.catch((error: unknown) => findConversationsAgain(this.core, error)),
      // The archive says less of a conversation than the server does, so it comes second.
      found.catch(() => undefined).then(() => this.#archiveArrived()),
      this.outbox.resume(),
      this.signals.receipts.resume(),
      this.#keyPackages.refill(),
      this.#upkeep.keepUp(),
      shared,
    ]
    for (const task of tasks) void this.#duties.during(task).catch(() => undefined)
  }

  #archiveArrived(): Promise<void> {
    // A new key may have come while nobody could tell.
    this.#archiveKeys.changed()
    return this.archive.arrived()
  }

  async #listChanged(account: AccountId): Promise<void> {
    await this.core.people.refresh(account).catch((error: unknown) => {
      if (error instanceof Refusal || error instanceof Unreachable) return
      throw error
    })
    if (account === this.core.account) await this.#upkeep.lookAround().catch(() => undefined)
  }

  #received(conversation: ConversationId, messages: readonly IncomingMessage[]): void {
    if (messages.length > 0) void this.#arrivals.run(() => this.#arrived(conversation, messages))
    for (const { sender, mine } of messages) if (!mine) this.signals.typing.heard({ conversation, account: sender.account, on: false })
    this.signals.receipts.schedule(conversation)
    this.archive.gather()
    void this.signals.retry(conversation).catch(() => undefined)
    void this.#housekeeping.look(conversation).catch(() => undefined)
  }

  /** Tells of messages; and what another own device has read of them already is read. */
  async #arrived(conversation: ConversationId, messages: readonly IncomingMessage[]): Promise<void> {
    const seq = await readPlace(this.core.store, conversation).catch(() => undefined)
    if (seq !== undefined) await takeReading(this.core, { conversation, seq }).catch(() => undefined)
    const told = await toldMessages(this.core.store, conversation, messages).catch(() => [])
    if (told.length > 0) this.#parts.arrived(told)
  }

  /** A line where it was found out; in every conversation that it concerns when it was not found out in one. */
  #keyLogAlarm({ kind, conversation, account }: Pick<Evidence, 'kind' | 'conversation' | 'account'>): Promise<void> {
    const what = kind === 'went_back' ? 'rollback' : 'key_log'
    if (kind === 'went_back') void this.#duties.during(this.#upkeep.wentBack()).catch(() => undefined)
    return this.#tell({ kind: 'tampering', what }, { person: account, only: conversation })
  }

  #tell(notice: StoredNotice, where?: Parameters<typeof tellEverywhere>[2]): Promise<void> {
    const { store, clock } = this.core
    return tellEverywhere({ store, clock, changed: this.#parts.changed }, notice, where)
  }
}
