/**
 * F-38: 64 devices commit at once, each with a commit that would be good alone, again and again. Of each epoch one is accepted, the
 * others hear that they are late, and nobody loses for ever (DS1, DS8). Afterwards everybody fetches the log and has all of it.
 */
import type { ConversationId } from '@tacit/contract'
import { createMlsEngine, type Group, type PendingCommit } from '@tacit/mls'
import type { CommandAnswer, WireSocket } from '../../wire-device.ts'
import { keyPackageOf, openOnWire, type WireGroup } from '../../wire-group.ts'
import { hashOf } from '../crowd-bytes.ts'
import type { CrowdMember } from '../crowd-member.ts'
import { Lane } from '../lane.ts'
import type { Recorder } from '../recorder.ts'
import { worst, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const RACERS = 64

/** After three losses a device is in line for a moment of its own, of which every round gives one (turns.ts): so many may be before it. */
const MOST_LOSSES = RACERS + 4

const engine = await createMlsEngine({ treeInWelcome: false })
const now = BigInt(Math.floor(Date.now() / 1000))
const anybody = { authenticate: () => Promise.resolve(true), judge: () => Promise.resolve(true), now } as const

/** What the others may be told. */
const LATE = new Set(['stale_epoch', 'busy'])

interface Racer {
  readonly member: CrowdMember
  readonly socket: WireSocket
  group: Group
  counter: number
  losses: number
}

interface Race {
  readonly conversation: ConversationId
  readonly recorder: Recorder
  readonly racers: readonly Racer[]
  /** The position of the last commit. */
  head: number
}

export const commitRace: Row = {
  id: 'F-38',
  name: `${RACERS} devices commit at once`,
  short: 3,
  long: 1000,
  async run(injections) {
    const wrong: string[] = []
    const losses: number[] = []
    const end = await playScene({ crowd: { devices: RACERS, conversations: [] } }, async ({ crowd, recorder }) => {
      // Of a device the newest socket wins, and the race has its own.
      await Promise.all(crowd.members.map((member) => member.stop()))
      const race = await lineUp(crowd.members, recorder)
      for (let round = 1; round <= injections; round++) wrong.push(...(await playRound(race, losses)))
      for (const { member, socket, counter } of race.racers) {
        await socket.close()
        fetchLog(race, { member, counter })
      }
    })
    const streak = worst(losses)
    if (streak > MOST_LOSSES) wrong.push(`a device lost ${streak} races in a row`)
    const figures = [{ name: 'most lost in a row', value: streak, unit: 'races', limit: MOST_LOSSES }]
    return outcomeOf(end, { injections, says: wrong[0], figures })
  },
}

/** One conversation with all of them, each with its own group and a socket. */
async function lineUp(members: readonly CrowdMember[], recorder: Recorder): Promise<Race> {
  const [founder, ...others] = members
  if (!founder) throw new Error('nobody races')
  const sockets = await Promise.all(members.map(({ device }) => device.socket()))
  const opened = await openOnWire(founder.device)
  const pairs = await Promise.all(others.map(({ device }) => keyPackageOf(device)))
  const added = await engine.commit(opened.group, { add: pairs.map(({ keyPackage }) => keyPackage), ...anybody })
  const race: Race = { conversation: opened.conversation, recorder, racers: [], head: 0 }
  const first = racerOf(founder, sockets[0], opened.group)
  const answer = await offer(race, first, added)
  if (!answer.ok) throw new Error(`the racers were not added: ${answer.failure}`)
  const { ratchetTree } = await treeOf(opened, founder)
  const join = async (member: CrowdMember, at: number): Promise<Racer> => {
    const keyPackage = pairs[at]
    const welcome = added.welcomes[0]?.bytes
    if (!keyPackage || !welcome) throw new Error('a racer was not added')
    const { group } = await engine.join({ welcome, ratchetTree, keyPackage, identity: member.device.identity, ...anybody })
    return racerOf(member, sockets[at + 1], group)
  }
  const racers = [{ ...first, group: added.next, counter: 1 }]
  for (const [at, member] of others.entries()) racers.push(await join(member, at))
  return { ...race, racers, head: answer.result.seq }
}

function racerOf(member: CrowdMember, socket: WireSocket | undefined, group: Group): Racer {
  if (!socket) throw new Error('a racer has no socket')
  return { member, socket, group, counter: 0, losses: 0 }
}

/** The tree of epoch 1. */
async function treeOf({ conversation }: WireGroup, { device }: CrowdMember): Promise<{ ratchetTree: Uint8Array }> {
  const { status, body } = await device.request('GET', `/v1/conversations/${conversation}/tree?epoch=1`)
  if (status !== 200) throw new Error(`the tree was refused: ${status}`)
  return { ratchetTree: new Uint8Array(Buffer.from(String(body['ratchetTree']), 'base64url')) }
}

/** All commit, then all read whose commit was accepted. Returns what is wrong. */
async function playRound(race: Race, losses: number[]): Promise<readonly string[]> {
  const commits: PendingCommit[] = []
  for (const { group } of race.racers) commits.push(await engine.commit(group, anybody))
  const offers = race.racers.map((racer, at) => offer(race, racer, commits[at]))
  const answers = await Promise.all(offers)
  const winners = answers.flatMap(({ ok }, at) => (ok ? [at] : []))
  const refusals = answers.flatMap((answer) => (answer.ok || LATE.has(answer.failure) ? [] : [answer.failure]))
  const [won] = winners
  const winning = won === undefined ? undefined : commits[won]
  if (won === undefined || !winning || winners.length > 1)
    throw new Error(`${winners.length} of ${RACERS} commits were accepted in an epoch`)
  for (const [at, racer] of race.racers.entries()) {
    racer.losses = at === won ? 0 : racer.losses + 1
    losses.push(racer.losses)
    racer.counter += at === won ? 1 : 0
    racer.group = at === won ? winning.next : (await engine.open(racer.group, winning.commit, anybody)).group
  }
  return refusals.map((failure) => `a commit that came too late was refused as ${failure}`)
}

async function offer(
  race: Race,
  { member, socket, group, counter }: Racer,
  made?: PendingCommit,
): Promise<CommandAnswer<'conversations.commit'>> {
  if (!made) throw new Error('a racer has no commit')
  const { conversation, recorder } = race
  const { device } = member.device
  const [epoch, clientSeq, commit] = [Number(group.epoch), counter + 1, new Uint8Array(made.commit)]
  const welcome = made.welcomes[0] ? new Uint8Array(made.welcomes[0].bytes) : null
  const said = { op: 'commit', device, conv: conversation, client_seq: clientSeq, epoch, hash: hashOf(commit) } as const
  recorder.operation({ ...said, phase: 'invoke' })
  const body = { conversation, epoch, clientSeq, commit, welcome, groupInfo: new Uint8Array(made.groupInfo) }
  const answer = await socket.command('conversations.commit', body)
  if (!answer.ok) {
    recorder.operation({ ...said, phase: 'fail' })
    return answer
  }
  const { seq, hash } = answer.result
  race.head = Math.max(race.head, seq)
  recorder.operation({ ...said, phase: 'ok', seq, hash: Buffer.from(hash).toString('hex') })
  return answer
}

/** From now on it is a device of the crowd, which has everything from its beginning on to fetch. */
function fetchLog({ conversation, head, racers }: Race, { member, counter }: Pick<Racer, 'member' | 'counter'>): void {
  const { device } = member.device
  const epoch = Number(racers[0]?.group.epoch ?? 0)
  const lane = new Lane({ conversation, device, hears: member.hears, pipeline: 1, epoch, clientSeq: counter })
  lane.head = head
  member.join(lane, member === racers[0]?.member ? 0 : 1)
  member.start()
}
