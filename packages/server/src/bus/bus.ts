/**
 * The bus: a doorbell between the rooms and the sockets of every process. What it carries may be lost, doubled or late at
 * any moment without harm: a doorbell names what to read from the log again, and the ephemeral ones (signals, presence)
 * promise nothing. Never read a doorbell as data.
 */
import type { AccountId, ConversationId, ConversationKind, DeviceId } from '@tacit/contract'

export type Notice =
  /** The conversation's log reaches `head`. */
  | { readonly kind: 'log'; readonly conversation: ConversationId; readonly head: number }
  /** Something waits for the device: a welcome, or a membership that began. */
  | { readonly kind: 'mailbox'; readonly device: DeviceId }
  /** The account is in the conversation; devices of it that are not may join. */
  | {
      readonly kind: 'account_joined'
      readonly account: AccountId
      readonly conversation: ConversationId
      readonly conversationKind: ConversationKind
    }
  /** A sealed signal for the members who are online. */
  | {
      readonly kind: 'signal'
      readonly conversation: ConversationId
      readonly sender: DeviceId
      readonly epoch: number
      readonly kept: boolean
      readonly bytes: Uint8Array
    }
  /** The account came or went, as far as it shares that. */
  | { readonly kind: 'presence'; readonly account: AccountId; readonly online: boolean }

export type NoticeKind = Notice['kind']
export type NoticeOf<K extends NoticeKind> = Extract<Notice, { kind: K }>

export interface Bus {
  /** Tells every process, this one too. Call it only after what it announces is committed. Never throws. */
  ring(notice: Notice): void
  /** Listens to one kind; returns the way to stop. A listener must not throw; if it does, the others still hear. */
  listen<K extends NoticeKind>(kind: K, listener: (notice: NoticeOf<K>) => void): () => void
}
