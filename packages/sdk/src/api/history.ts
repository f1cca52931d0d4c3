/** The archive of an account's history, and the same as a file. */
import type { AccountId, ConversationId, ConversationKind, MessageId } from '@tacit/contract'
import type { NoticeOfAccounts } from './conversations.ts'
import type { Person } from './standing.ts'

/** The archive of this account's history, which its devices share. */
export interface HistoryState {
  /** Whether what is written goes into the archive. */
  readonly on: boolean
  /** Messages and other lines in the archive. */
  readonly messages: number
  /** Bytes of it on the server, and how many there may be. */
  readonly used: number
  readonly quota: number
  /** What is on this device and not in the archive yet. */
  readonly waiting: number
  /** Older history comes in: so many lines of so many. */
  readonly restoring?: { readonly done: number; readonly total: number }
  /**
   * full: nothing more fits · missing: the server does not give a part of it · unreadable: this device lacks a key or is too
   * old for a part · rolled_back, forked: the server showed an earlier archive, or another one, than this device had seen.
   */
  readonly trouble?: 'full' | 'missing' | 'unreadable' | 'rolled_back' | 'forked'
}

/** A person's history as a file of their own. */
export interface HistoryFile {
  readonly format: 'tacit history'
  readonly version: number
  readonly account: AccountId
  readonly handle: string
  /** When, in ISO 8601. */
  readonly exported: string
  /** SHA-256 of what follows, as JSON, in base64url. */
  readonly checksum: string
  readonly people: readonly Person[]
  readonly conversations: readonly {
    readonly conversation: ConversationId
    readonly kind: ConversationKind
    readonly title: string
    readonly peer?: AccountId
    /** In the order of the log. */
    readonly items: readonly (
      | {
          readonly kind: 'message'
          readonly seq: number
          /** Milliseconds since 1970. */
          readonly time: number
          readonly message: MessageId
          readonly account: AccountId
          readonly text: string
          readonly expires?: number
        }
      | { readonly kind: 'notice'; readonly seq: number; readonly time: number; readonly notice: NoticeOfAccounts }
    )[]
  }[]
}

/** not_a_history: another kind of file · damaged: not as it was written · too_new: of a newer program · other_account: somebody else's. */
export type HistoryRefusal = 'not_a_history' | 'damaged' | 'too_new' | 'other_account'

export type HistoryImport =
  /** Lines that were not here, and lines that were. */
  { readonly kind: 'imported'; readonly added: number; readonly known: number } | { readonly kind: 'refused'; readonly why: HistoryRefusal }
