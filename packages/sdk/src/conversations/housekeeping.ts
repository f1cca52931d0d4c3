/**
 * What nobody asks for and somebody has to do: commit proposals that wait, remove own withdrawn leaves, say the title again
 * for those who came later. All members see the same need; the lowest leaf acts first, the others a little later and only
 * if it is still needed.
 */
import { type ConversationId, rosterOf } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { hasIntent } from './intent.store.ts'
import { strandedDevices } from './nack.store.ts'
import { loadRoster } from './roster.store.ts'

export interface Chores {
  readonly tidy: (conversation: ConversationId) => void
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
  readonly #timers = new Map<ConversationId, () => void>()

  constructor(core: DeviceCore, chores: Chores) {
    this.#core = core
    this.#chores = chores
  }

  /** Looks whether something is to be done, and does it when it is this device's turn. */
  async look(conversation: ConversationId): Promise<void> {
    if (this.#timers.has(conversation) || !this.#core.wire.isOnline) return
    const need = await this.#need(conversation)
    if (!need || this.#timers.has(conversation)) return
    const { clock, random } = this.#core
    const delay = (need.grace ?? 0) + need.rank * PER_RANK + JITTER * random.fraction()
    this.#timers.set(
      conversation,
      clock.after(delay, () => {
        this.#timers.delete(conversation)
        // What fails here is needed still, and looked at again with the next entry or socket.
        this.#act(conversation).catch(() => undefined)
      }),
    )
  }

  close(): void {
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  async #act(conversation: ConversationId): Promise<void> {
    const need = await this.#need(conversation)
    if (need?.commit) this.#chores.tidy(conversation)
    else if (need?.title) await this.#chores.sayTitle(conversation, need.title)
  }

  async #need(conversation: ConversationId) {
    const { conversations, certificates, store, account, device } = this.#core
    const { state, group } = await conversations.hold(conversation, async (hold) => ({ state: hold.state, group: hold.group }))
    if (!group || state?.standing !== 'active') return undefined
    const withdrawn = await hasWithdrawn(this.#core, conversation)
    const stranded = await isAnybodyStranded(this.#core, conversation)
    if (group.pendingProposals.length === 0 && state.titleOwed === 0 && !withdrawn && !stranded) return undefined
    if (await hasIntent(store, { conversation, kind: 'leave' })) return undefined
    const roster = await rosterOf(group, certificates)
    const leaving = new Set(group.pendingProposals.map((proposal) => proposal.removes))
    const staying = roster.entries.filter((entry) => !leaving.has(entry.leaf))
    const place = staying.findIndex((entry) => entry.device === device)
    if (place < 0) return undefined
    const rank = Math.min(place, MOST_RANKS)
    // Own leaves are only this account's to tidy: its devices take turns among themselves.
    if (withdrawn) return { rank: staying.slice(0, place).filter((entry) => entry.account === account).length, commit: true }
    if (leaving.size > 0) return { rank, commit: true }
    if (stranded) return { rank, commit: true, grace: COMES_BY_ITSELF }
    if (state.titleOwed > 0 && state.title !== '') return { rank, title: state.title }
    return undefined
  }
}

async function isAnybodyStranded({ store, device }: DeviceCore, conversation: ConversationId): Promise<boolean> {
  return (await strandedDevices(store, conversation)).some((stranded) => stranded.device !== device)
}

/** Whether the conversation has leaves of own devices that are no longer on the own list. */
async function hasWithdrawn(core: DeviceCore, conversation: ConversationId): Promise<boolean> {
  const self = await core.people.known(core.account)
  if (!self) return false
  const own = (await loadRoster(core.store, conversation)).filter((entry) => entry.account === core.account)
  return own.some((entry) => !self.devices.some(({ device }) => device === entry.device))
}
