/**
 * What a doorbell may say, kind by kind, and how it travels between processes. One table makes the types, the encoding and the
 * check at the door.
 */
import { AccountId, ConversationId, DeviceId, limits, SessionId, VaultPart, type CborValue } from '@tacit/contract'
import { z } from 'zod'

const position = z.int().min(0)
const bytes = z.instanceof(Uint8Array)

const shapes = {
  /** The conversation's log reaches `head`. */
  log: z.object({ conversation: ConversationId, head: position }),
  /** Something waits for the device: a welcome, or a membership that began. */
  mailbox: z.object({ device: DeviceId }),
  /** The account is in the conversation; devices of it that are not may join. */
  account_joined: z.object({ account: AccountId, conversation: ConversationId, conversationKind: z.enum(['direct', 'group']) }),
  /** A sealed signal for the members who are online. */
  signal: z.object({
    conversation: ConversationId,
    sender: DeviceId,
    epoch: position,
    kept: z.boolean(),
    bytes: bytes.refine(({ length }) => length <= limits.signal),
  }),
  /** The account came or went, as far as it shares that. */
  presence: z.object({ account: AccountId, online: z.boolean() }),
  /** The account changed whether it shares its presence. */
  sharing_changed: z.object({ account: AccountId }),
  /** The session ended before its time. */
  session_ended: z.object({ session: SessionId }),
  /** The account has a newer device list. */
  devices_changed: z.object({ account: AccountId, version: position }),
  /** A part of the account's vault has a newer version. */
  vault_changed: z.object({ account: AccountId, part: VaultPart, version: position, generation: position }),
  /** The account's archive has a newer version. */
  archive_changed: z.object({ account: AccountId, version: position }),
  /** Somebody took a key package of the device, and few are left. */
  keys_low: z.object({ device: DeviceId }),
  /** The device has opened a socket; the older one of it, wherever that is, has had its day. */
  line_opened: z.object({ device: DeviceId, line: position }),
  /** A device was given the turn to commit. */
  turn_given: z.object({ conversation: ConversationId, device: DeviceId, epoch: position }),
  /** A device's commit began an epoch. */
  committed: z.object({ conversation: ConversationId, device: DeviceId, epoch: position }),
  /** A device's commit came too late for its epoch. */
  commit_lost: z.object({ conversation: ConversationId, device: DeviceId, epoch: position }),
  /** A server cannot ring; whoever reads this in the database looks after everything by itself for a while. */
  unheard: z.object({ node: z.string().max(22) }),
} as const

type Shapes = typeof shapes
export type NoticeKind = keyof Shapes
export type Notice = { [K in NoticeKind]: { readonly kind: K } & Readonly<z.output<Shapes[K]>> }[NoticeKind]
export type NoticeOf<K extends NoticeKind> = Extract<Notice, { kind: K }>

/** The kind, then its fields in the order of the table. */
export function encodeNotice(notice: Notice): CborValue[] {
  const fields: Readonly<Record<string, unknown>> = notice
  return [notice.kind, ...Object.keys(shapes[notice.kind].shape).map((name) => fields[name] as CborValue)]
}

/** Undefined for what this version does not know: a newer server may run beside it. */
export function decodeNotice(value: CborValue | undefined): Notice | undefined {
  if (!Array.isArray(value)) return undefined
  const [kind, ...fields]: readonly CborValue[] = value
  if (typeof kind !== 'string' || !isKind(kind)) return undefined
  const names = Object.keys(shapes[kind].shape)
  const parsed = shapes[kind].safeParse(Object.fromEntries(names.map((name, at) => [name, fields[at]])))
  // The table ties the kind to its fields; the parser of a kind that is known only now cannot say so.
  return parsed.success ? ({ kind, ...parsed.data } as Notice) : undefined
}

const isKind = (kind: string): kind is NoticeKind => Object.hasOwn(shapes, kind)
