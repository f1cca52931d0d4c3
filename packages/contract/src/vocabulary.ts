/**
 * The three kinds of thing that may be said: a route (HTTP), a command (socket, answered) and an event (socket, from the
 * server). Server handlers, SDK calls, OpenAPI and the access tests are all derived from tables of these.
 *
 * The generics are constrained by zod's core type only and read by key: that keeps type-checking fast.
 */
import type { z } from 'zod'
import type { FailureName } from './failures.ts'

type Schema = z.core.$ZodType
type Shape = z.core.$ZodShape

/** Who may call: anybody; a signed-in session; a session that is bound to a device. */
export type Access = 'anyone' | 'account' | 'device'

export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for parameters. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  readonly params?: Schema
  readonly query?: Schema
  readonly body?: Schema
  readonly result: Schema
  /** Status of success. */
  readonly status: 200 | 201 | 204
  /** Refusals beyond those that any route can give. */
  readonly failures: readonly FailureName[]
}

export interface CommandSpec {
  /** Number in the frame; never reused. */
  readonly code: number
  readonly access: Access
  readonly summary: string
  readonly body: z.ZodObject<Shape>
  readonly result: z.ZodObject<Shape>
  readonly failures: readonly FailureName[]
}

export interface EventSpec {
  readonly code: number
  readonly summary: string
  readonly body: z.ZodObject<Shape>
}

/** Declares a route. Keeps the literal types of what it is given. */
export const route = <const R extends RouteSpec>(spec: R): R => spec
/** Declares a command. */
export const command = <const C extends CommandSpec>(spec: C): C => spec
/** Declares an event. */
export const event = <const E extends EventSpec>(spec: E): E => spec

type Decoded<S> = S extends Schema ? z.output<S> : undefined

/** What a route's handler receives, decoded. */
export type RouteInput<R extends RouteSpec> = {
  readonly params: Decoded<R['params']>
  readonly query: Decoded<R['query']>
  readonly body: Decoded<R['body']>
}
export type RouteResult<R extends RouteSpec> = z.output<R['result']>
export type CommandBody<C extends CommandSpec> = z.output<C['body']>
export type CommandResult<C extends CommandSpec> = z.output<C['result']>
export type EventBody<E extends EventSpec> = z.output<E['body']>

/** Refusals that any route or command can give. */
export const commonFailures = [
  'malformed',
  'unauthenticated',
  'session_ended',
  'device_needed',
  'not_found',
  'too_large',
  'rate_limited',
  'internal',
  'unavailable',
] as const satisfies readonly FailureName[]
