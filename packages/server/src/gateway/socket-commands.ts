/**
 * The contract's commands tied to the rooms' verbs, as a mapped type over its table: a command that is forgotten does not
 * compile. No rule lives here; budgets are per device and survive a reconnect.
 */
import { Refusal, type BodyOf, type CommandName, type ConversationId, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Conversations } from '../conversations/conversations.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Feed, Line } from '../delivery/feed.ts'
import type { Presence } from '../presence/presence.ts'
import type { Signals } from '../signals/signals.ts'
import type { SocketLimits } from './socket-limits.ts'
import type { CloseReason } from './socket-line.ts'
import { TokenBuckets } from './token-bucket.ts'

/** Commands that the gateway answers itself: they are about the socket, not about a room. */
export type SocketCommand = 'connection.hello' | 'connection.renew'
export type RoomCommand = Exclude<CommandName, SocketCommand>

/** Who asks, and by which socket. */
export interface CommandLine extends Line {
  feed: Feed | undefined
  close(reason: CloseReason): void
}

export interface CommandCall<N extends RoomCommand> {
  readonly line: CommandLine
  readonly body: BodyOf<N>
  /** Milliseconds. */
  readonly now: number
}

/** What a handler throws is a refusal, at once or later. */
export type CommandHandlers = { readonly [N in RoomCommand]: (call: CommandCall<N>) => Promise<ResultOf<N>> }

export interface CommandRooms {
  readonly conversations: Conversations
  readonly delivery: Delivery
  readonly signals: Signals
  readonly presence: Pick<Presence, 'arrived' | 'said'>
}

export interface CommandTable {
  readonly handlers: CommandHandlers
  /** Forgets budgets that are full again. */
  prune(now: number): void
}

export function commandTable({ conversations, delivery, signals, presence }: CommandRooms, limits: SocketLimits): CommandTable {
  const sends = new TokenBuckets<DeviceId>(limits.sends)
  const commits = new TokenBuckets<DeviceId>(limits.commits)
  const asks = new TokenBuckets<DeviceId>(limits.asks)
  const ephemeral = new TokenBuckets<DeviceId>(limits.signals)
  const inbound = new TokenBuckets<ConversationId>(limits.inbound)
  /** Only what was accepted counts, so that nobody can spend the budget of a conversation that is not theirs. */
  const charged = <T extends { readonly duplicate: boolean }>(
    accepting: Promise<T>,
    conversation: ConversationId,
    { size, now }: { readonly size: number; readonly now: number },
  ): Promise<T> =>
    accepting.then((accepted) => {
      if (!accepted.duplicate) inbound.charge(conversation, size, now)
      return accepted
    })
  const handlers: CommandHandlers = {
    'conversations.commit': async ({ line, body, now }) => {
      refuseWhileEmpty(inbound, body.conversation, now)
      spend(commits, line.device, now)
      return charged(conversations.commit(line, body), body.conversation, { size: body.commit.length, now })
    },
    'conversations.acknowledgeWelcomes': async ({ line, body }) => {
      await conversations.acknowledgeWelcomes(line.device, body.welcomes)
      return {}
    },
    'turns.ask': async ({ line, body, now }) => {
      spend(asks, line.device, now)
      await conversations.askTurn(line, body)
      return {}
    },
    'delivery.resume': async ({ line, body }) => {
      line.feed = delivery.resume(line, body)
      await presence.arrived(line)
      return {}
    },
    // Not async, as what comes with every message: it only hands on a promise, and a refusal that is thrown is one, too.
    'delivery.send': ({ line, body, now }) => {
      refuseWhileEmpty(inbound, body.conversation, now)
      spend(sends, line.device, now)
      return charged(delivery.send(line.device, body), body.conversation, { size: body.bytes.length, now })
    },
    'delivery.nack': async ({ line, body, now }) => {
      spend(commits, line.device, now)
      return delivery.nack(line.device, body)
    },
    'delivery.acknowledge': async ({ line, body }) => {
      // A device that claims to have what never existed is broken or lying; its next claims are worth nothing either.
      if ((await delivery.acknowledge({ feed: line.feed, device: line.device, body })) === 'overrun') line.close('malformed')
      return {}
    },
    'signals.send': async ({ line, body, now }) => {
      spend(ephemeral, line.device, now)
      await signals.send(line.device, body)
      if (body.keep) presence.said(line.account, body.conversation)
      return {}
    },
  }
  const prunable = [sends, commits, asks, ephemeral, inbound]
  return { handlers, prune: (now) => prunable.forEach((buckets) => buckets.prune(now)) }
}

function spend(buckets: TokenBuckets<DeviceId>, device: DeviceId, now: number): void {
  refuseFor(buckets.take(device, now))
}

function refuseWhileEmpty(buckets: TokenBuckets<ConversationId>, conversation: ConversationId, now: number): void {
  refuseFor(buckets.wait(conversation, now))
}

/** A client that goes away for a day would not come back before. */
const LONGEST_WAIT = 86_400

function refuseFor(wait: number): void {
  if (wait > 0) throw new Refusal('rate_limited', { retryAfter: Math.min(LONGEST_WAIT, Math.ceil(wait)) })
}
