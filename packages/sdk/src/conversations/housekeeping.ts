/**
 * What nobody asks for and somebody has to do: commit proposals that wait, remove own withdrawn leaves, bring fresh keys,
 * say the title again for those who came later. Commits wait for their turn; the title is said by the lowest leaf first, by
 * the others a little later and only if it is still needed.
 */
import { type ConversationId, rosterOf } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { isAccepted } from '../requests/admission.ts'
import { allConversations } from './conversation.store.ts'
import { hasIntent } from './intent.store.ts'
import { strandedDevices } from './nack.store.ts'
import { loadRoster } from './roster.store.ts'
import { owesUpdate } from './rotation-facts.ts'
import { Turns, type Need } from './turns.ts'

export interface Chores {
  /** Commit what is due. */
  readonly commit: (conversation: ConversationId) => void
  readonly sayTitle: (conversation: ConversationId, title: string) => Promise<unknown>
}

/** One rank waits this much longer than the one before, up to the most; plus jitter. Milliseconds. */
const PER_RANK = 700
const MOST_RANKS = 12
const JITTER = 400

/** A device that could not follow joins anew within a moment, unless something keeps it from that. Milliseconds. */
const COMES_BY_ITSELF = 4000

export class Housekeeping {
  readonly #core: DeviceCore
  readonly #chores: Chores
  readonly #turns: Turns
  /** Of titles to say. */
  readonly #timers = new Map<ConversationId, () => void>()

  constructor(core: DeviceCore, chores: Chores) {
    this.#core = core
    this.#chores = chores
    this.#turns = new Turns({ ...core, take: chores.commit, look: (conversation) => void this.look(conversation).catch(() => undefined) })
  }

  /** Looks whether something is to be done, and does it when it is this device's turn. */
  async look(conversation: ConversationId): Promise<void> {
    if (!this.#core.wire.isOnline) return
    const need = await this.#core.duties.during(this.#need(conversation))
    if (need?.commit) this.#turns.want(conversation, need.commit)
    else this.#turns.drop(conversation)
    if (need?.title && !this.#timers.has(conversation)) this.#sayTitleLater(conversation, need.place)
  }

  async lookEverywhere(): Promise<void> {
    for (const { conversation } of await allConversations(this.#core.store)) await this.look(conversation)
  }

  /** The server gave this device the turn. */
  granted(conversation: ConversationId): void {
    this.#turns.granted(conversation)
  }

  /** The socket ended, or the device stops. On the next socket everything is looked at again. */
  disconnected(): void {
    this.#turns.disconnected()
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  #sayTitleLater(conversation: ConversationId, place: number): void {
    const { clock, random } = this.#core
    const done = this.#core.duties.begin()
    const stop = clock.after(Math.min(place, MOST_RANKS) * PER_RANK + JITTER * random.fraction(), () => {
      this.#timers.delete(conversation)
      // What fails here is needed still, and looked at again with the next entry or socket.
      void this.#sayTitle(conversation)
        .catch(() => undefined)
        .finally(done)
    })
    this.#timers.set(conversation, () => {
      stop()
      done()
    })
  }

  async #sayTitle(conversation: ConversationId): Promise<void> {
    const title = (await this.#need(conversation))?.title
    if (title) await this.#chores.sayTitle(conversation, title)
  }

  /** `place`: among the leaves that stay. */
  async #need(conversation: ConversationId) {
    const { conversations, certificates, store, account, device } = this.#core
    const { state, group, due } = await conversations.hold(conversation, async (hold) => {
      return { state: hold.state, group: hold.group, due: await owesUpdate(this.#core, hold, 'turn') }
    })
    if (!group || state?.standing !== 'active') return undefined
    const withdrawn = await hasWithdrawn(this.#core, conversation)
    const stranded = await isAnybodyStranded(this.#core, conversation)
    const waits = group.pendingProposals.length > 0
    if (!waits && state.titleOwed === 0 && !withdrawn && !stranded && !due) return undefined
    if (await hasIntent(store, { conversation, kind: 'leave' })) return undefined
    const roster = await rosterOf(group, certificates)
    const leaving = new Set(group.pendingProposals.map((proposal) => proposal.removes))
    const staying = roster.entries.filter((entry) => !leaving.has(entry.leaf))
    const place = staying.findIndex((entry) => entry.device === device)
    if (place < 0) return undefined
    // Own leaves are only this account's to tidy: its devices go one after the other among themselves.
    const rank = withdrawn ? staying.slice(0, place).filter((entry) => entry.account === account).length : place
    const facts = { epoch: state.epoch, leaves: group.members.length, rank }
    const commit = whatToCommit({ tidy: withdrawn || waits, stranded, due }, facts)
    return { place, commit, title: state.titleOwed > 0 && !waits ? state.title : '' }
  }
}

function whatToCommit(
  { tidy, stranded, due }: { tidy: boolean; stranded: boolean; due: boolean },
  facts: Omit<Need, 'work' | 'grace'>,
): Need | undefined {
  if (tidy || stranded) return { ...facts, work: 'tidy', grace: tidy ? 0 : COMES_BY_ITSELF }
  return due ? { ...facts, work: 'update', grace: 0 } : undefined
}

/** Who cannot follow is brought back by people who have taken the conversation up: for others it would be a sign that they are there. */
async function isAnybodyStranded({ store, device }: DeviceCore, conversation: ConversationId): Promise<boolean> {
  if (!(await isAccepted(store, conversation))) return false
  return (await strandedDevices(store, conversation)).some((stranded) => stranded.device !== device)
}

/** Whether the conversation has leaves of own devices that are no longer on the own list. */
async function hasWithdrawn(core: DeviceCore, conversation: ConversationId): Promise<boolean> {
  const self = await core.people.known(core.account)
  if (!self) return false
  const own = (await loadRoster(core.store, conversation)).filter((entry) => entry.account === core.account)
  return own.some((entry) => !self.devices.some(({ device }) => device === entry.device))
}
