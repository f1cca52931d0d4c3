/**
 * When this device brings fresh keys into a conversation, so that whoever once copied its state reads nothing any more
 * (RFC 9420 section 16.6). Pure rules over facts that are stored; docs/life-of-a-message.md says them in words.
 *
 * Every time here is by the device's own clock: a server that names other times must not put an update off.
 */

/** What is kept of one conversation. Immutable; times in milliseconds, 0: never. */
export interface Rotation {
  /** When this device made the keys that the group has of it; 0: those of its key package, which lay about for long. */
  readonly updated: number
  /** When it sealed the commit that may be on its way now. */
  readonly sealed: number
  /** Messages in the log since `updated`, whoever wrote them. */
  readonly exchanged: number
  /** Whether another device wrote one of them. */
  readonly heard: boolean
  /** No update in front of a message before this; 0: none was put off since `updated`. */
  readonly frontFrom: number
  /** No update of its own accord before this. */
  readonly turnFrom: number
}

export const NEVER_ROTATED: Rotation = { updated: 0, sealed: 0, exchanged: 0, heard: false, frontFrom: 0, turnFrom: 0 }

/** In front of an own message that waits, or of its own accord, at a turn that the server gives. */
export type Moment = 'message' | 'turn'

export type UpdateReason = 'certificate' | 'joined' | 'returned' | 'daily' | 'reply'

export type Due = { readonly kind: 'no' } | { readonly kind: 'update'; readonly reason: UpdateReason }

export interface RotationFacts {
  readonly rotation: Rotation
  /** Leaves of the group. */
  readonly leaves: number
  /** The own leaf has a certificate that was renewed since. */
  readonly outdated: boolean
  readonly now: number
  /** When the device last came back after an absence (attendance.ts); 0: never. */
  readonly returned: number
  readonly moment: Moment
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const REPLY_AFTER = 10 * MINUTE
const DAY = 24 * HOUR

/** As many commits per message as 50 messages between two give, however many write: 25 messages for each leaf. */
const MESSAGES_PER_LEAF = 25

/** An update that lost against another commit does not hold up messages for so long; it waits for its turn. */
const PUT_OFF = MINUTE
/** The server refused the update itself, say because it is too large: another try will not go better soon. */
const REFUSED_PAUSE = 6 * HOUR

/** In a group with more leaves than this, joiners do not update in front of their first message: all of them at once would be a storm. */
const MOST_EAGER = 8

const NO: Due = { kind: 'no' }

/** Whether an update is due. Whoever is alone has nobody to bring keys to, but an own new device to let in some day. */
export function dueUpdate({ rotation, leaves, outdated, now, returned, moment }: RotationFacts): Due {
  const { updated, exchanged, heard, frontFrom, turnFrom } = rotation
  if (isAhead(moment === 'message' ? frontFrom : turnFrom, now)) return NO
  if (outdated) return update('certificate')
  if (leaves < 2) return NO
  if (updated === 0) return update('joined')
  const age = ageOf(updated, now)
  const isActive = exchanged > 0
  // A return that is still to come was noted by a clock that was set back since: no update could ever be later than that.
  if (returned > updated && returned <= now && (isActive || moment === 'message')) return update('returned')
  if (age >= DAY && isActive) return update('daily')
  // Of its own accord only when a reply went out without its update.
  const isReply = heard && (moment === 'message' || frontFrom > 0)
  return isReply && (age >= REPLY_AFTER || exchanged >= MESSAGES_PER_LEAF * leaves) ? update('reply') : NO
}

/** A device that has just joined: with keys made for it (creating, external commit), or with those of its key package. */
export function beginRotation({ fresh, leaves, now }: { fresh: boolean; leaves: number; now: number }): Rotation {
  if (fresh) return { ...NEVER_ROTATED, updated: now }
  return leaves > MOST_EAGER ? { ...NEVER_ROTATED, frontFrom: now + PUT_OFF } : NEVER_ROTATED
}

export const countMessage = (rotation: Rotation, { mine }: { mine: boolean }): Rotation => ({
  ...rotation,
  exchanged: rotation.exchanged + 1,
  heard: rotation.heard || !mine,
})

/** The own commit took effect. Its keys are as old as its sealing: it may have lain here during an absence. */
export const rotated = ({ sealed }: Rotation, now: number): Rotation => ({ ...NEVER_ROTATED, updated: Math.min(sealed, now) || now })

export const putOff = (rotation: Rotation, now: number): Rotation => ({ ...rotation, frontFrom: now + PUT_OFF })

export const refusedForGood = (rotation: Rotation, now: number): Rotation => ({
  ...rotation,
  frontFrom: now + REFUSED_PAUSE,
  turnFrom: now + REFUSED_PAUSE,
})

/** A commit that only adds has no path and leaves the committer's keys as they were (RFC 9420 section 12.4). */
export const hasPath = (commit: { readonly adds: boolean; readonly removes: boolean; readonly policyChanged: boolean }): boolean =>
  !commit.adds || commit.removes || commit.policyChanged

const update = (reason: UpdateReason): Due => ({ kind: 'update', reason })

/** A clock that was set back makes keys seem to be of tomorrow: they count as old. */
const ageOf = (time: number, now: number): number => (time > now ? Infinity : now - time)

/** Further ahead than anything here plans is a clock that was set back, too. */
const isAhead = (time: number, now: number): boolean => time > now && time - now <= REFUSED_PAUSE
