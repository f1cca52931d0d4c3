/** Builds the server's rooms from its settings and joins them to the doors. A house can be opened many times in one process. */
import { toBase64Url, type AccountId } from '@tacit/contract'
import type { FastifyInstance } from 'fastify'

import { accountHandlers } from './accounts/accounts.routes.ts'
import { createAccounts } from './accounts/accounts.ts'
import { archiveHandlers } from './archive/archive.ts'
import { createBells, type Bells } from './bus/bells.ts'
import type { Bus } from './bus/bus.ts'
import { createInProcessBus } from './bus/in-process.ts'
import { systemClock, systemElapsed, systemHeapUse, type Clock } from './clock.ts'
import { openCluster, type Cluster } from './cluster.ts'
import { Challenges } from './credentials/challenges.ts'
import { Credentials } from './credentials/credentials.ts'
import { createPasswordProtocol } from './credentials/opaque.ts'
import { createPasskeys } from './credentials/passkeys.ts'
import { Proofs } from './credentials/proofs.ts'
import { deviceHandlers } from './devices/devices.routes.ts'
import { Devices } from './devices/devices.ts'
import { disclosureHandlers } from './disclosure/disclosure.ts'
import { createHttpGateway } from './gateway/http.ts'
import { createLimits } from './gateway/limits.ts'
import { createOrigins, type Origins } from './gateway/origins.ts'
import { healthHandlers } from './health/health.ts'
import { createKeys, type Keys } from './keys/keys.ts'
import { linkingHandlers } from './linking/linking.routes.ts'
import { Links } from './linking/linking.ts'
import { createLog, faultFields, type Log } from './log.ts'
import { LoopLag } from './loop-lag.ts'
import { openMessaging, type Messaging, type Neighbours } from './messaging.ts'
import { createMetrics, portOf, serveMetrics, type MetricsServer } from './metrics.ts'
import { openPremises, type Premises } from './premises.ts'
import { OwnLeases } from './presence/leases.ts'
import { systemRandom, type Random } from './random.ts'
import { SecurityEvents } from './security-events/security-events.ts'
import { sessionHandlers } from './sessions/sessions.routes.ts'
import { Sessions } from './sessions/sessions.ts'
import type { Settings } from './settings.ts'
import { Inspection } from './storage/inspection.ts'
import { transparencyHandlers } from './transparency/transparency.routes.ts'
import { Transparency } from './transparency/transparency.ts'
import { Kits } from './unlocks/kits.ts'
import { sweepRecoveryCodes, useRecoveryCode } from './unlocks/recovery-codes.ts'
import { unlockHandlers } from './unlocks/unlocks.ts'
import { vaultHandlers } from './vault/vault.ts'

export interface HouseEffects {
  readonly clock?: Clock
  /** Milliseconds that pass, whatever the clock says. */
  readonly elapsed?: () => number
  readonly random?: Random
  readonly log?: Log
  /** Where it stands; in the data folder of its settings unless given. */
  readonly premises?: Premises
}

export interface House {
  /** What `listen` would open to the network; the testbed knocks here without one. */
  readonly http: Pick<FastifyInstance, 'inject' | 'server'>
  /** Starts to answer. `url` is what people open. */
  listen(): Promise<{ url: string; port: number; metricsPort?: number }>
  /** Stops accepting, lets what is under way finish (up to `drainSeconds`), and closes the database. */
  close(): Promise<void>
}

/** How often ended sessions, stale challenges and the disk are looked at. */
const HOUSEKEEPING_MS = 30_000

export async function openHouse(settings: Settings, effects: HouseEffects = {}): Promise<House> {
  const held = new AsyncDisposableStack()
  try {
    const foundation = await openFoundation(settings, effects, held)
    return new OpenHouse({ foundation, ...(await furnish(foundation)) })
  } catch (error) {
    await held.disposeAsync()
    throw error
  }
}

/** What every room stands on. */
interface Foundation {
  readonly settings: Settings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly database: Premises['database']
  readonly secrets: Premises['secrets']
  readonly space: Premises['space']
  readonly origins: Origins
  readonly limits: ReturnType<typeof createLimits>
  readonly metrics: ReturnType<typeof createMetrics>
  readonly lag: LoopLag
  readonly inspection: Inspection
  /** Undefined where there is one server. */
  readonly cluster: Cluster | undefined
  readonly bus: Bus
  readonly bells: Bells
  /** Set while stopping. */
  readonly stopping: { now: boolean }
  /** The premises, to be let go in the end. */
  readonly held: AsyncDisposableStack
}

async function openFoundation(settings: Settings, effects: HouseEffects, held: AsyncDisposableStack): Promise<Foundation> {
  const { clock = systemClock, random = systemRandom, log = createLog({ level: settings.logLevel }) } = effects
  const { database, secrets, space } = held.use(effects.premises ?? (await openPremises({ settings, random })))
  if (secrets.fresh) log('secrets_made')
  const metrics = createMetrics()
  const lag = new LoopLag({ elapsed: effects.elapsed ?? systemElapsed, heapUse: systemHeapUse })
  const inspection = new Inspection({
    database,
    lag,
    found: ({ entries, structure }) => log('database_damaged', { entries, structure: structure.join('; ') }),
    failed: (error) => log('fault', { where: 'inspection', ...faultFields(error) }),
  })
  const ground = { settings, clock, random, log, database, secrets, space, metrics, lag, inspection }
  const cluster = settings.redis === '' ? undefined : openCluster({ ...ground, url: settings.redis })
  if (cluster) held.defer(() => cluster.close())
  const bus = cluster?.bus ?? createInProcessBus((error) => log('fault', { where: 'bus', ...faultFields(error) }))
  const bells = createBells({ database, bus, clock, random, several: cluster !== undefined })
  const limits = createLimits({
    factor: settings.limitsFactor,
    shared: cluster && { link: cluster.link, hash: (key) => hashed(secrets, key) },
  })
  return { ...ground, cluster, bus, bells, limits, origins: createOrigins(settings), stopping: { now: false }, held }
}

/** What stands for the key of a budget where other programs may read. */
const hashed = (secrets: Foundation['secrets'], key: string): string => toBase64Url(secrets.derive('budget key', key).subarray(0, 16))

/** What a house is run by. */
interface Furnished {
  readonly http: FastifyInstance
  readonly messaging: Messaging
  readonly sweep: () => Promise<void>
}

async function furnish(foundation: Foundation): Promise<Furnished> {
  const { settings, clock, random, log, database, bells, space, origins, limits, metrics, lag, inspection, cluster, stopping } = foundation
  const identity = await openIdentity(foundation)
  const { events, accounts, challenges, credentials, proofs, kits, sessions, links, keys, devices, transparency } = identity
  const isStopping = () => stopping.now
  const several = cluster !== undefined
  const leases = cluster?.leases ?? new OwnLeases(clock)
  const messaging = openMessaging({ ...foundation, several, leases, neighbours: neighboursOf(identity, { space, several }) })
  const sharesConversation = (one: AccountId, other: AccountId) => messaging.sharesConversation(one, other)
  const http = await createHttpGateway({
    settings,
    origins,
    limits,
    random,
    log,
    metrics,
    lag,
    isStopping,
    authenticate: (token) => sessions.authenticate(token),
    handlers: {
      system: healthHandlers({ settings, database, space, clock, isStopping, isApart: () => cluster?.isWell() === false, lag, inspection }),
      accounts: accountHandlers({ accounts, database, clock, credentials, kits, devices, sessions, events, log, limits, space }),
      sessions: sessionHandlers({
        sessions,
        credentials,
        proofs,
        kits,
        useRecoveryCode: (given) => useRecoveryCode({ database, clock }, given),
        database,
        limits,
        events,
        log,
        findAccount: (handle) => accounts.findByHandle(handle),
      }),
      linking: linkingHandlers({ links, limits }),
      unlocks: unlockHandlers({
        bells,
        limits,
        credentials,
        kits,
        proofs,
        sessions,
        events,
        handleOf: (account) => accounts.handleOf(account),
      }),
      vault: vaultHandlers({ database, bells, limits }),
      archive: archiveHandlers({ database, bells, limits, space, quota: settings.archiveMib * 1024 * 1024 }),
      devices: deviceHandlers({
        devices,
        limits,
        handleOf: (account) => accounts.handleOf(account),
        sharesConversation,
      }),
      keys: keys.handlers(sharesConversation),
      transparency: transparencyHandlers(transparency),
      securityEvents: events.handlers(),
      disclosure: disclosureHandlers({ database, limits }),
      ...messaging.handlers,
    },
  })
  messaging.attach(http.server)
  const sweep = async () => {
    await Promise.all([
      sweepRecoveryCodes({ database, clock }),
      sessions.sweep(),
      events.sweep(),
      challenges.sweep(),
      links.sweep(),
      space.look(),
      messaging.sweep(),
      cluster?.sweep(),
    ])
  }
  return { http, messaging, sweep }
}

/** The rooms that know who somebody is. */
async function openIdentity({ settings, clock, random, log, database, bells, secrets, origins, limits }: Foundation) {
  const accounts = createAccounts({ database, bells })
  const passwords = createPasswordProtocol(secrets)
  const passkeys = createPasskeys({ name: settings.name, origins })
  const events = new SecurityEvents({ database, clock, log })
  const failed = (tried: Parameters<typeof events.noteFailedSignIn>[0]) => events.noteFailedSignIn(tried)
  const challenges = new Challenges({ database, clock, random })
  const credentials = new Credentials({ database, challenges, passwords, passkeys, failed })
  const proofs = new Proofs({ database, challenges, passwords, passkeys })
  const kits = new Kits({ database, clock, random, challenges })
  const sessions = new Sessions({ database, bells, clock, random, secrets, events, log })
  const links = new Links({ database, clock, random, sessions, events, log, handleOf: (account) => accounts.handleOf(account) })
  const keys: Keys = createKeys({ database, bells, limits, clock, certificateOf: (owner) => devices.certificateOf(owner) })
  const transparency = new Transparency({ database, clock, secrets })
  await transparency.begin()
  const devices: Devices = new Devices({ database, bells, clock, sessions, keys, transparency, events, log })
  return { events, accounts, challenges, credentials, proofs, kits, sessions, links, keys, devices, transparency }
}

const neighboursOf = (
  { accounts, sessions, keys, devices }: Awaited<ReturnType<typeof openIdentity>>,
  { space, several }: Pick<Foundation, 'space'> & { readonly several: boolean },
): Neighbours => ({
  authenticate: (token) => sessions.authenticate(token),
  isListed: (certificate) => devices.isListed(certificate),
  keysLeft: (device) => keys.available(device),
  openLine: (device) => (several ? devices.openLine(device) : Promise.resolve(0)),
  newestLines: (lines) => devices.newestLines(lines),
  accountExists: async (account) => (await accounts.handleOf(account)) !== undefined,
  sharesPresence: (account) => accounts.sharesPresence(account),
  assertRoom: () => space.assertRoom(),
})

class OpenHouse implements House {
  readonly http: FastifyInstance
  readonly #foundation: Foundation
  readonly #messaging: Messaging
  readonly #housekeeping: NodeJS.Timeout
  /** Ends when no round of it is under way. */
  #rounds: Promise<unknown> = Promise.resolve()
  #metrics: MetricsServer | undefined
  #closing: Promise<void> | undefined

  constructor({ foundation, http, messaging, sweep }: { foundation: Foundation } & Furnished) {
    this.#foundation = foundation
    this.http = http
    this.#messaging = messaging
    const clean = () => sweep().catch((error: unknown) => foundation.log('fault', { where: 'housekeeping', ...faultFields(error) }))
    const round = () => (this.#rounds = Promise.all([this.#rounds, clean()]).then(() => undefined))
    this.#housekeeping = setInterval(() => void round(), HOUSEKEEPING_MS).unref()
  }

  async listen(): Promise<{ url: string; port: number; metricsPort?: number }> {
    const { settings, origins, metrics, cluster, log } = this.#foundation
    this.#foundation.lag.start()
    await cluster?.watch(this.#messaging.followers)
    const { host, port: wanted, metricsHost, metricsPort } = settings
    if (metricsPort !== 0) {
      const serving = serveMetrics({ registry: metrics.registry, host: metricsHost, port: metricsPort })
      this.#metrics = await serving.catch(inWords('TACIT_METRICS_PORT', metricsPort))
    }
    await this.http.listen({ host, port: wanted }).catch(inWords('TACIT_PORT', wanted))
    const port = portOf(this.http.server)
    origins.listensOn(port)
    const url = origins.own()
    this.#foundation.inspection.start()
    log('listening', { url, port, metricsPort: this.#metrics?.port })
    return { url, port, ...(this.#metrics && { metricsPort: this.#metrics.port }) }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { settings, stopping, held, log, clock, lag, inspection } = this.#foundation
    const began = clock.now()
    stopping.now = true
    log('stopping')
    clearInterval(this.#housekeeping)
    lag.stop()
    await inspection.stop()
    const within = settings.drainSeconds * 1000
    const patience = setTimeout(() => this.http.server.closeAllConnections(), within)
    await Promise.all([this.#messaging.close(within), this.http.close(), this.#rounds])
    clearTimeout(patience)
    await this.#metrics?.close()
    await held.disposeAsync()
    log('stopped', { ms: clock.now() - began })
  }
}

/** A port that cannot be had, as a sentence. */
const inWords =
  (setting: string, port: number) =>
  (cause: unknown): never => {
    throw new Error(`The server cannot listen on port ${port}. Stop what uses it, or choose another port with ${setting}.`, { cause })
  }
