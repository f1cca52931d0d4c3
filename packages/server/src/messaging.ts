/** The rooms that carry messages, wired together: one group commit, one bus, one set of feeds. */
import type { AccountId, DeviceCertificate, DeviceId, Routes } from '@tacit/contract'
import type { Server } from 'node:http'
import type { Bus, NoticeOf } from './bus/bus.ts'
import type { RoundsDeps } from './bus/rounds.ts'
import type { Bells } from './bus/bells.ts'
import { systemElapsed, type Clock } from './clock.ts'
import { conversationRoutes } from './conversations/conversations.routes.ts'
import { Conversations } from './conversations/conversations.ts'
import { Turns } from './conversations/turns.ts'
import { deliveryRoutes } from './delivery/delivery.routes.ts'
import { Delivery } from './delivery/delivery.ts'
import { Retention, retentionSettings } from './delivery/retention.ts'
import type { RoomHandlers } from './gateway/caller.ts'
import { Lines } from './gateway/lines.ts'
import type { Limits } from './gateway/limits.ts'
import type { Origins } from './gateway/origins.ts'
import { peerAddresses } from './gateway/peer-address.ts'
import { SocketGateway } from './gateway/socket.ts'
import { commandTable } from './gateway/socket-commands.ts'
import { socketLimits } from './gateway/socket-limits.ts'
import type { TokenOwner } from './gateway/socket-session.ts'
import { faultFields, type Log } from './log.ts'
import type { LoopLag } from './loop-lag.ts'
import { createMessagingMetrics, type MessagingMetrics } from './messaging-metrics.ts'
import type { Metrics } from './metrics.ts'
import type { Leases } from './presence/leases.ts'
import { Presence } from './presence/presence.ts'
import type { Random } from './random.ts'
import type { Settings } from './settings.ts'
import { openHotPath } from './hot-path.ts'
import { Signals } from './signals/signals.ts'
import type { Database } from './storage/database.ts'

/** What the rooms need of the others: who somebody is, and what changed about them. */
export interface Neighbours {
  authenticate(accessToken: string): Promise<TokenOwner | undefined>
  /** Whether the certificate's device is on the current list of the account whose key signed it, with the certificate's key. */
  isListed(certificate: DeviceCertificate): Promise<boolean>
  /** How many one-time key packages of a device are left. */
  keysLeft(device: DeviceId): Promise<number>
  /** The number of a socket that the device opens now; 0 where there is one server. */
  openLine(device: DeviceId): Promise<number>
  newestLines(devices: readonly DeviceId[]): Promise<ReadonlyMap<DeviceId, number>>
  accountExists(account: AccountId): Promise<boolean>
  sharesPresence(account: AccountId): Promise<boolean>
  /** Throws the refusal `storage_full` when the disk is nearly full. */
  assertRoom(): void
}

export interface MessagingDeps {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: Settings
  readonly origins: Origins
  readonly limits: Limits
  readonly metrics: Metrics
  readonly lag: LoopLag
  readonly bus: Bus
  readonly bells: Bells
  readonly leases: Leases
  /** There are other servers on this database. */
  readonly several: boolean
  readonly neighbours: Neighbours
}

export interface Messaging {
  readonly handlers: { readonly conversations: RoomHandlers<Routes['conversations']>; readonly delivery: RoomHandlers<Routes['delivery']> }
  /** Whether both are in one conversation now. */
  sharesConversation(account: AccountId, other: AccountId): Promise<boolean>
  /** Takes the socket upgrades of the server. */
  attach(server: Server): void
  /** Forgets what may be forgotten; to be called now and then. */
  sweep(): Promise<void>
  /** What follows something, for when doorbells may have been lost. */
  readonly followers: Pick<RoundsDeps, 'rooms' | 'onBlind'>
  /** Ends all sockets, telling them; at the latest after `within` milliseconds. */
  close(within: number): Promise<void>
}

export function openMessaging(deps: MessagingDeps): Messaging {
  const { bus, log, neighbours } = deps
  const onFault = (error: unknown): void => log('fault', { where: 'bus', ...faultFields(error) })
  const metrics = createMessagingMetrics({ registry: deps.metrics.registry, sockets: () => gateway })
  const rooms = openRooms(deps, { metrics, onFault })
  const { conversations, delivery, signals, lines } = rooms
  const presence = new Presence({
    bus,
    leases: deps.leases,
    onFault,
    sharesPresence: (account) => neighbours.sharesPresence(account),
    audienceOf: (account) => signals.audienceOf(account),
    heardBy: (account) => signals.heardBy(account),
    linesOf: (account) => lines.ofAccount(account),
  })
  const retention = new Retention({
    database: deps.database,
    clock: deps.clock,
    lag: deps.lag,
    settings: retentionSettings(deps.settings.retentionDays),
    accepted: () => metrics.entries,
    welcomes: conversations.outstandingWelcomes,
  })
  const gateway = openGateway(deps, { ...rooms, presence, onFault })
  signals.passTo(delivery)
  bus.listen('account_joined', (notice) => void tellOfJoin(notice, rooms).catch(onFault))
  bus.listen('devices_changed', (notice) => void tellOfDevices(notice, rooms).catch(onFault))
  bus.listen('vault_changed', ({ account, part, version, generation }) =>
    rooms.lines.tellAccount(account, { name: 'vault.changed', body: { part, version, generation } }),
  )
  bus.listen('archive_changed', ({ account, version }) => rooms.lines.tellAccount(account, { name: 'archive.changed', body: { version } }))
  bus.listen('keys_low', ({ device }) => void tellOfKeys(device, { neighbours, lines }).catch(onFault))
  return {
    handlers: { conversations: conversationRoutes(conversations, deps.limits), delivery: deliveryRoutes(delivery) },
    sharesConversation: (account, other) => delivery.sharesConversation(account, other),
    attach: (server) => gateway.attach(server),
    async sweep() {
      await retention.run()
      delivery.forgetRecent()
    },
    followers: { rooms: [delivery, signals, gateway], onBlind: () => gateway.endAll() },
    async close(within) {
      await Promise.all([gateway.close(within), retention.stop()])
      await signals.passed()
      delivery.stop()
    },
  }
}

interface Rooms {
  readonly conversations: Conversations
  readonly delivery: Delivery
  readonly signals: Signals
  readonly lines: Lines
  readonly turns: Turns
}

function openRooms(
  { database, bus, bells, clock, random, settings, neighbours, several }: MessagingDeps,
  joint: { metrics: MessagingMetrics; onFault: (error: unknown) => void },
): Rooms {
  const { metrics } = joint
  const hears = { onBatch: (size: number) => metrics.batch(size), onCursorBack: () => metrics.cursorWentBack() }
  const hot = openHotPath(database, { ...hears, several })
  const lines = new Lines()
  const turns = new Turns({
    bus,
    clock,
    random,
    isConnected: (device) => lines.has(device),
    tell: (device, body) => lines.tellDevice(device, { name: 'turns.yours', body }),
  })
  const shared = { database, bus, bells, ...joint, clock, assertRoom: () => neighbours.assertRoom() }
  const conversations = new Conversations({
    ...shared,
    random,
    turns,
    maxMembers: settings.maxMembers,
    registry: neighbours,
    accountExists: (account) => neighbours.accountExists(account),
  })
  const signals = new Signals({ ...shared, store: hot.signals, isMember: (pair) => delivery.isMember(pair) })
  const delivery: Delivery = new Delivery({
    ...shared,
    store: hot.delivery,
    mail: conversations.mail,
    acceptProposal: conversations.acceptProposal,
    kept: (device, after) => signals.kept(device, after),
    elapsed: systemElapsed,
  })
  return { conversations, delivery, signals, lines, turns }
}

function openGateway(
  { bus, clock, random, log, settings, origins, lag, neighbours }: MessagingDeps,
  rooms: Rooms & { presence: Presence; onFault: (error: unknown) => void },
): SocketGateway {
  const limits = socketLimits(settings.limitsFactor)
  return new SocketGateway({
    bus,
    clock,
    elapsed: systemElapsed,
    random,
    log,
    limits,
    origins,
    lag,
    ...rooms,
    commands: commandTable(rooms, limits),
    authenticate: (token) => neighbours.authenticate(token),
    openLine: (device) => neighbours.openLine(device),
    newestLines: (devices) => neighbours.newestLines(devices),
    address: peerAddresses(settings.trustedProxies),
  })
}

/** Devices of the account that are online and not in the conversation may join. */
async function tellOfJoin(
  { account, conversation, conversationKind: kind }: NoticeOf<'account_joined'>,
  { conversations, lines }: Pick<Rooms, 'conversations' | 'lines'>,
): Promise<void> {
  for (const line of lines.ofAccount(account)) {
    if (await conversations.mayJoin(line, conversation))
      lines.tellDevice(line.device, { name: 'conversations.changed', body: { conversation, kind } })
  }
}

/** A new device list concerns its owner's devices and everybody who shares a conversation with them. */
async function tellOfDevices(
  { account, version }: NoticeOf<'devices_changed'>,
  { delivery, lines }: Pick<Rooms, 'delivery' | 'lines'>,
): Promise<void> {
  const event = { name: 'devices.changed', body: { account, version } } as const
  for (const concerned of [account, ...(await delivery.coMembers(account))]) lines.tellAccount(concerned, event)
}

async function tellOfKeys(
  device: DeviceId,
  { neighbours, lines }: Pick<MessagingDeps, 'neighbours'> & Pick<Rooms, 'lines'>,
): Promise<void> {
  if (!lines.has(device)) return
  lines.tellDevice(device, { name: 'keys.low', body: { available: await neighbours.keysLeft(device) } })
}
