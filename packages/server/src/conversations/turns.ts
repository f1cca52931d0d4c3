/**
 * Who commits next. Routine commits are everybody's to make and only one of an epoch is accepted, so devices ask for a turn
 * and get it one at a time. Held in memory and a courtesy only: the compare-and-set on the epoch is what decides, and a device
 * that never gets a turn goes on by itself. Several servers tell each other which turns they gave and which commits they saw;
 * when that is lost, two devices try and one of them is too late.
 *
 * The one thing that is enforced is fairness (RFC 9420 section 14): a device that lost three races in a row has two seconds
 * in which routine commits of others are refused as `busy`.
 */
import { Refusal, type BodyOf, type ConversationId, type DeviceId, type EventOf } from '@tacit/contract'
import type { Bus, NoticeOf } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'

export interface TurnsDeps {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  isConnected(device: DeviceId): boolean
  tell(device: DeviceId, turn: EventOf<'turns.yours'>): void
}

/** What the rooms know of the place where somebody asks. */
export interface Standing {
  readonly isMember: boolean
  readonly epoch: number
}

/** A turn that is not used ends after so many seconds. */
const TURN_SECONDS = 10

/** Devices that update of their own accord commit no closer together than this, in milliseconds. */
const BETWEEN_UPDATES = 5000

const MOST_LOSSES = 3
const LEASE = 2000

/** A conversation in which nobody asks is forgotten after this, in milliseconds. */
const REMEMBERED = 3_600_000

type Work = Exclude<BodyOf<'turns.ask'>['work'], 'none'>

interface Holder {
  readonly device: DeviceId
  readonly until: number
}

interface Turn extends Holder {
  /** Another server gave it. */
  readonly elsewhere: boolean
}

interface Election {
  epoch: number
  readonly waiting: Map<DeviceId, Work>
  turn: Turn | undefined
  /** When each device committed last, as far as this process has seen. */
  readonly committed: Map<DeviceId, number>
  updatesFrom: number
  /** Races lost in a row. */
  readonly losses: Map<DeviceId, number>
  lease: Holder | undefined
  touched: number
}

/** Whose commit, and into which epoch, or, if it came too late, the epoch that is. */
export interface CommitAt {
  readonly conversation: ConversationId
  readonly device: DeviceId
  readonly epoch: number
}

/** Who commits, where, and when; `now` in milliseconds. */
interface Committing {
  readonly conversation: ConversationId
  readonly device: DeviceId
  readonly now: number
}

export class Turns {
  readonly #deps: TurnsDeps
  readonly #elections = new Map<ConversationId, Election>()

  constructor(deps: TurnsDeps) {
    this.#deps = deps
    deps.bus.listen('turn_given', (notice) => this.#given(notice))
    deps.bus.listen('committed', (notice) => this.#committed(notice))
    deps.bus.listen('commit_lost', (notice) => this.#lost(notice))
  }

  /** A device would commit, or would not any more. The turn comes with a sweep, so that all who see the same need have asked. */
  ask(asking: Committing & { readonly standing: Standing }, { epoch, work }: Pick<BodyOf<'turns.ask'>, 'epoch' | 'work'>): void {
    const { conversation, device, now, standing } = asking
    if (!standing.isMember) throw new Refusal('not_found')
    if (work === 'none') return this.#withdraw(conversation, device)
    // Who is behind learns from the log whether anything is left to tidy.
    if (work === 'tidy' && epoch !== standing.epoch) return
    const election = this.#election(conversation, { epoch: standing.epoch, now })
    if (election.turn?.device !== device) election.waiting.set(device, work)
  }

  /** Throws the refusal `busy` when another device that keeps losing has the next moment to itself. Only routine commits wait. */
  admit({ conversation, device, now }: Committing): void {
    const lease = this.#elections.get(conversation)?.lease
    if (!lease || lease.device === device || lease.until <= now) return
    throw new Refusal('busy', { retryAfter: Math.ceil((lease.until - now) / 1000) })
  }

  /** A commit was accepted: whoever would have tidied up looks at the new epoch first. */
  accepted(commit: CommitAt): void {
    this.#deps.bus.ring({ kind: 'committed', ...commit })
  }

  /** A commit came too late for its epoch. */
  lost(commit: CommitAt): void {
    this.#deps.bus.ring({ kind: 'commit_lost', ...commit })
  }

  #committed({ conversation, device, epoch }: NoticeOf<'committed'>): void {
    const election = this.#elections.get(conversation)
    if (!election) return
    const now = this.#deps.clock.now()
    begin(election, epoch)
    election.waiting.delete(device)
    election.losses.delete(device)
    if (election.lease?.device === device) election.lease = undefined
    election.committed.set(device, now)
    lend(election, now)
    election.updatesFrom = now + BETWEEN_UPDATES
    election.touched = now
  }

  #lost({ conversation, device, epoch }: NoticeOf<'commit_lost'>): void {
    const now = this.#deps.clock.now()
    const election = this.#election(conversation, { epoch, now })
    election.losses.set(device, (election.losses.get(device) ?? 0) + 1)
    lend(election, now)
  }

  /** Gives the turns that are due; to be called about every second. */
  sweep(now: number): void {
    for (const [conversation, election] of this.#elections) {
      for (const device of election.waiting.keys()) if (!this.#deps.isConnected(device)) election.waiting.delete(device)
      const { turn } = election
      if (turn && (turn.until <= now || !(turn.elsewhere || this.#deps.isConnected(turn.device)))) election.turn = undefined
      if (!election.turn) this.#elect(conversation, election, now)
      if (election.waiting.size === 0 && !election.turn && now - election.touched >= REMEMBERED) this.#elections.delete(conversation)
    }
  }

  #elect(conversation: ConversationId, election: Election, now: number): void {
    const tidying = waitingFor(election, 'tidy')
    const updating = now >= election.updatesFrom ? waitingFor(election, 'update') : []
    const device = this.#longestAgo(tidying.length > 0 ? tidying : updating, election.committed)
    if (!device) return
    election.waiting.delete(device)
    const { epoch } = election
    election.turn = { device, until: now + TURN_SECONDS * 1000, elsewhere: false }
    election.touched = now
    this.#deps.tell(device, { conversation, epoch, seconds: TURN_SECONDS })
    this.#deps.bus.ring({ kind: 'turn_given', conversation, device, epoch })
  }

  /** By this server or another one. */
  #given({ conversation, device, epoch }: NoticeOf<'turn_given'>): void {
    const now = this.#deps.clock.now()
    const election = this.#elections.get(conversation)
    // Nobody asked here: there is nobody whom this server would give a turn meanwhile.
    if (!election || election.turn?.device === device) return
    begin(election, epoch)
    election.turn = { device, until: now + TURN_SECONDS * 1000, elsewhere: true }
  }

  /**
   * By lot among those who never committed: joiners sit side by side in the tree, and neighbours that update one after the
   * other would each encrypt for all the others; scattered, each halves what is left for the next.
   */
  #longestAgo(candidates: readonly DeviceId[], committed: ReadonlyMap<DeviceId, number>): DeviceId | undefined {
    const when = (device: DeviceId): number => committed.get(device) ?? 0
    const longest = Math.min(...candidates.map(when))
    const first = candidates.filter((device) => when(device) === longest)
    const lot = new DataView(this.#deps.random.bytes(4).buffer).getUint32(0)
    return first[lot % first.length]
  }

  #withdraw(conversation: ConversationId, device: DeviceId): void {
    const election = this.#elections.get(conversation)
    election?.waiting.delete(device)
    if (election?.turn?.device === device) election.turn = undefined
  }

  #election(conversation: ConversationId, { epoch, now }: { epoch: number; now: number }): Election {
    const known = this.#elections.get(conversation) ?? emptyElection(epoch)
    this.#elections.set(conversation, known)
    begin(known, epoch)
    known.touched = now
    return known
  }
}

const emptyElection = (epoch: number): Election => ({
  epoch,
  waiting: new Map(),
  turn: undefined,
  committed: new Map(),
  updatesFrom: 0,
  losses: new Map(),
  lease: undefined,
  touched: 0,
})

/** The moment goes, if it is free, to the one who committed longest ago of those who keep losing, in whatever order they are heard. */
function lend(election: Election, now: number): void {
  if (election.lease && election.lease.until > now) return
  const losers = [...election.losses].flatMap(([device, losses]) => (losses >= MOST_LOSSES ? [device] : []))
  const when = (device: DeviceId): number => election.committed.get(device) ?? 0
  const [device] = losers.toSorted((one, other) => when(one) - when(other))
  if (device) election.lease = { device, until: now + LEASE }
}

/** In a new epoch nothing may be left to tidy; own keys are still to be updated. */
function begin(election: Election, epoch: number): void {
  if (epoch <= election.epoch) return
  election.epoch = epoch
  election.turn = undefined
  for (const [device, work] of election.waiting) if (work === 'tidy') election.waiting.delete(device)
}

const waitingFor = ({ waiting }: Election, work: Work): DeviceId[] =>
  [...waiting].filter(([, wanted]) => wanted === work).map(([device]) => device)
