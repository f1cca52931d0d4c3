/** Whether the process lives and whether it can accept messages, and what it is (for clients before they sign in). */
import { CONTRACT_VERSION, OLDEST_CONTRACT, type Routes } from '@tacit/contract'
import type { Clock } from '../clock.ts'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Settings } from '../settings.ts'
import type { LoopLag } from '../loop-lag.ts'
import type { Inspection } from '../storage/inspection.ts'
import type { Database } from '../storage/database.ts'
import type { DiskSpace } from '../storage/disk-space.ts'

export interface HealthDeps {
  readonly settings: Settings
  readonly database: Database
  readonly space: DiskSpace
  readonly clock: Clock
  /** The server is draining. */
  readonly isStopping: () => boolean
  readonly lag: Pick<LoopLag, 'shedding'>
  readonly inspection: Pick<Inspection, 'damage'>
  /** Doorbells of other servers do not get through. */
  readonly isApart: () => boolean
}

/** A probe writes to the disk, so it is not repeated more often than this. */
const PROBE_MS = 1000

export function healthHandlers({
  settings,
  database,
  space,
  clock,
  isStopping,
  isApart,
  lag,
  inspection,
}: HealthDeps): RoomHandlers<Routes['system']> {
  let probe: { readonly at: number; readonly healthy: Promise<boolean> } | undefined
  const healthy = () => {
    if (!probe || clock.now() - probe.at >= PROBE_MS) probe = { at: clock.now(), healthy: database.healthy() }
    return probe.healthy
  }
  return {
    describe: () =>
      Promise.resolve({
        name: settings.name,
        contract: CONTRACT_VERSION,
        oldestContract: OLDEST_CONTRACT,
        signIn: ['password' as const, 'passkey' as const],
        retentionDays: settings.retentionDays,
        maxMembers: settings.maxMembers,
      }),
    live: () => Promise.resolve({ status: 'ok' as const }),
    async ready() {
      const reasons: string[] = []
      if (isStopping()) reasons.push('the server is stopping')
      if (space.isShort()) reasons.push('disk space is short')
      if (lag.shedding === 'work') reasons.push('the server is overloaded')
      if (!(await healthy())) reasons.push('the database cannot write')
      if (reasons.length > 0) return { status: 'not_ready' as const, reasons }
      if (isApart()) reasons.push('Redis cannot be reached: messages between servers take longer')
      const { entries, unreadable, structure } = inspection.damage
      if (entries > 0) reasons.push(`${entries} entries are not what was written: the disk is failing`)
      if (unreadable) reasons.push('a part of the database cannot be read')
      if (structure.length > 0) reasons.push('the structure of the database is damaged: the disk is failing')
      return { status: reasons.length > 0 ? ('degraded' as const) : ('ok' as const), reasons }
    },
  }
}
