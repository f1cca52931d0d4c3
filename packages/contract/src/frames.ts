/**
 * How commands and events sit in a socket frame. Every frame is one binary WebSocket message holding one CBOR array:
 *
 *   [1, ref, code, body]        command    device to server; `ref` numbers it on this socket
 *   [2, ref, result]            accepted   server to device
 *   [3, ref, name, details]     refused    server to device; details as pairs [field, value]
 *   [4, code, body]             event      server to device
 *
 * Bodies are arrays in the order of the schema's fields (packed.ts).
 */
import { z } from 'zod'
import { CborError, decodeCbor, decodeCborInPlace, encodeCbor, encodeCborInto, Encoded, type CborValue, type Encodable } from './cbor.ts'
import { commands, events, type Commands, type Events } from './contract.ts'
import { Entry } from './delivery.ts'
import { FailureDetails, failures, type FailureName } from './failures.ts'
import { packingOf, type Packing } from './packed.ts'
import { Slab } from './slab.ts'
import type { CommandBody, CommandResult, CommandSpec, EventBody, EventSpec } from './vocabulary.ts'

type Named<Table, Kind> = {
  [Room in keyof Table & string]: {
    [Name in keyof Table[Room] & string]: Table[Room][Name] extends Kind ? `${Room}.${Name}` : never
  }[keyof Table[Room] & string]
}[keyof Table & string]
type At<Table, Path extends string> = Path extends `${infer Room}.${infer Name}`
  ? Room extends keyof Table
    ? Name extends keyof Table[Room]
      ? Table[Room][Name]
      : never
    : never
  : never

export type CommandName = Named<Commands, CommandSpec>
export type EventName = Named<Events, EventSpec>
export type BodyOf<N extends CommandName> = At<Commands, N> extends infer C extends CommandSpec ? CommandBody<C> : never
export type ResultOf<N extends CommandName> = At<Commands, N> extends infer C extends CommandSpec ? CommandResult<C> : never
export type EventOf<N extends EventName> = At<Events, N> extends infer E extends EventSpec ? EventBody<E> : never

export type CommandFrame = {
  [N in CommandName]: { readonly type: 'command'; readonly ref: number; readonly name: N; readonly body: BodyOf<N> }
}[CommandName]
export type EventFrame = { [N in EventName]: { readonly type: 'event'; readonly name: N; readonly body: EventOf<N> } }[EventName]
export type AnswerFrame =
  | { readonly type: 'accepted'; readonly ref: number; readonly result: CborValue }
  | { readonly type: 'refused'; readonly ref: number; readonly failure: FailureName; readonly details: FailureDetails }

/** What a server makes of a frame that it cannot take: refuse by `ref` when it has one, else close the socket. */
export type UnreadableCommand = { readonly type: 'unreadable'; readonly failure: 'malformed' | 'unsupported'; readonly ref?: number }

interface Codec {
  readonly name: string
  readonly code: number
  readonly body: z.ZodType
  readonly bodyPacking: Packing
  readonly result?: z.ZodType
  readonly resultPacking?: Packing
  readonly spec?: CommandSpec
}

const commandCodecs = table<CommandSpec>(commands, (spec) => ({ spec, result: spec.result, resultPacking: packingOf(spec.result) }))
const eventCodecs = table<EventSpec>(events, () => ({}))

const MAX_REF = 0xffff_ffff
const Ref = z.int().min(0).max(MAX_REF)

/** Frames to devices live for a moment; an allocation of their own would cost more than all else about them. */
const outgoing = new Slab()
const encodeFrame = (frame: Encodable): Uint8Array<ArrayBuffer> => encodeCborInto(frame, (size) => outgoing.take(size))

/** All command names, for dispatch tables and access tests. */
export const commandNames = [...commandCodecs.byName.keys()] as CommandName[]

/** What the contract says of a command. */
export function commandSpec(name: CommandName): CommandSpec {
  const { spec } = named(commandCodecs, name)
  if (!spec) throw new TypeError(`no such command: ${name}`)
  return spec
}

/** Device side: a command as bytes. */
export function encodeCommand<N extends CommandName>(command: { ref: number; name: N; body: BodyOf<N> }): Uint8Array<ArrayBuffer> {
  const codec = named(commandCodecs, command.name)
  return encodeCbor([1, command.ref, codec.code, codec.bodyPacking.pack(command.body)])
}

/** Server side: bytes from a device; byte strings in the command are views of them. Never throws. */
export function decodeCommand(bytes: Uint8Array): CommandFrame | UnreadableCommand {
  const frame = decodeOrUndefined(bytes)
  if (!isCommandArray(frame)) return { type: 'unreadable', failure: 'malformed' }
  const [, ref, code, packed] = frame
  const codec = commandCodecs.byCode.get(code)
  if (!codec) return { type: 'unreadable', failure: 'unsupported', ref }
  const body = unpackAs(codec.body, codec.bodyPacking, packed)
  if (body === undefined) return { type: 'unreadable', failure: 'malformed', ref }
  return { type: 'command', ref, name: codec.name, body } as CommandFrame
}

/** Server side: the answer to a command that was carried out. To be written soon, as all that goes to devices: it is part of a larger allocation. */
export function encodeAccepted<N extends CommandName>(answer: { ref: number; name: N; result: ResultOf<N> }): Uint8Array<ArrayBuffer> {
  return encodeFrame([2, answer.ref, named(commandCodecs, answer.name).resultPacking?.pack(answer.result) ?? []])
}

/** Server side: the answer to a command that was refused. */
export function encodeRefused(answer: { ref: number; failure: FailureName; details?: FailureDetails }): Uint8Array<ArrayBuffer> {
  const details = Object.entries(answer.details ?? {}).filter((pair): pair is [string, string | number] => pair[1] !== undefined)
  return encodeFrame([3, answer.ref, answer.failure, details])
}

/** Server side: an event. */
export function encodeEvent<N extends EventName>(event: { name: N; body: EventOf<N> }): Uint8Array<ArrayBuffer> {
  const codec = named(eventCodecs, event.name)
  return encodeFrame([4, codec.code, codec.bodyPacking.pack(event.body)])
}

/** Entries may be kept for a while, those that came together go together. */
const entries = new Slab()
const entryPacking = packingOf(Entry)

type EntryOfAnyBytes = Omit<Entry, 'bytes'> & { readonly bytes: Uint8Array }

/** Server side: an entry as it stands in `delivery.entries`, for one frame. */
export const packLogEntry = (entry: EntryOfAnyBytes): Encodable => entryPacking.pack(entry)

/** Server side: the same, encoded once for all frames that it will be in. */
export const encodeLogEntry = (entry: EntryOfAnyBytes): Encoded =>
  new Encoded(encodeCborInto(entryPacking.pack(entry), (size) => entries.take(size)))

/** Server side: the event `delivery.entries` with entries that are packed or encoded already. */
export function encodeEntries(
  body: Omit<EventOf<'delivery.entries'>, 'entries'> & { entries: readonly Encodable[] },
): Uint8Array<ArrayBuffer> {
  const { code } = named(eventCodecs, 'delivery.entries')
  return encodeFrame([4, code, [body.conversation, body.head, body.entries]])
}

/** Device side: bytes from the server. `unknown` is an event of a newer contract, to be ignored. Throws CborError for anything else. */
export function decodeFromServer(bytes: Uint8Array): AnswerFrame | EventFrame | { readonly type: 'unknown' } {
  const frame = decodeCbor(bytes)
  if (!Array.isArray(frame)) throw new CborError('expected a frame')
  if (frame[0] === 2 && frame.length === 3) return { type: 'accepted', ref: Ref.parse(frame[1]), result: frame[2] as CborValue }
  if (frame[0] === 3 && frame.length === 4) return refused(frame)
  if (frame[0] === 4 && frame.length === 3) return decodeEvent(frame)
  throw new CborError('expected a frame')
}

/** Device side: the result of a command that was accepted. Throws CborError when the server answers with another shape. */
export function decodeResult<N extends CommandName>(name: N, result: CborValue): ResultOf<N> {
  const codec = named(commandCodecs, name)
  const value = codec.result && codec.resultPacking ? unpackAs(codec.result, codec.resultPacking, result) : undefined
  if (value === undefined) throw new CborError(`unexpected result of ${name}`)
  return value as ResultOf<N>
}

function decodeEvent(frame: readonly CborValue[]): EventFrame | { readonly type: 'unknown' } {
  const codec = eventCodecs.byCode.get(Number(frame[1]))
  if (!codec) return { type: 'unknown' }
  const body = unpackAs(codec.body, codec.bodyPacking, frame[2] as CborValue)
  if (body === undefined) throw new CborError(`unexpected body of ${codec.name}`)
  return { type: 'event', name: codec.name, body } as EventFrame
}

function refused(frame: readonly CborValue[]): AnswerFrame {
  const name = z.string().parse(frame[2])
  const details = FailureDetails.safeParse(Object.fromEntries(z.array(z.tuple([z.string(), z.unknown()])).parse(frame[3])))
  return {
    type: 'refused',
    ref: Ref.parse(frame[1]),
    failure: name in failures ? (name as FailureName) : 'internal',
    details: details.data ?? {},
  }
}

function unpackAs(schema: z.ZodType, packing: Packing, value: CborValue): unknown {
  try {
    return schema.safeParse(packing.unpack(value)).data
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

function isCommandArray(frame: CborValue | undefined): frame is readonly [1, number, number, CborValue] {
  if (!Array.isArray(frame) || frame.length !== 4 || frame[0] !== 1 || typeof frame[2] !== 'number') return false
  return typeof frame[1] === 'number' && frame[1] >= 0 && frame[1] <= MAX_REF
}

function decodeOrUndefined(bytes: Uint8Array): CborValue | undefined {
  try {
    return decodeCborInPlace(bytes)
  } catch {
    return undefined
  }
}

interface CodecTable {
  readonly byName: ReadonlyMap<string, Codec>
  readonly byCode: ReadonlyMap<number, Codec>
}

function table<S extends { code: number; body: z.ZodType }>(
  rooms: Record<string, Record<string, S>>,
  more: (spec: S) => Partial<Codec>,
): CodecTable {
  const codecs = Object.entries(rooms).flatMap(([room, specs]) =>
    Object.entries(specs).map(([verb, spec]): Codec => ({
      name: `${room}.${verb}`,
      code: spec.code,
      body: spec.body,
      bodyPacking: packingOf(spec.body),
      ...more(spec),
    })),
  )
  return { byName: new Map(codecs.map((codec) => [codec.name, codec])), byCode: new Map(codecs.map((codec) => [codec.code, codec])) }
}

function named(codecs: CodecTable, name: string): Codec {
  const codec = codecs.byName.get(name)
  if (!codec) throw new TypeError(`no such command or event: ${name}`)
  return codec
}
