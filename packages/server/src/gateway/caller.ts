/**
 * Who calls, and how a room ties its routes to verbs. A room's handlers are a mapped type over its contract table:
 * a route that is forgotten, or answers another shape, does not compile.
 */
import type { Access, AccountId, DeviceId, RouteInput, RouteResult, RouteSpec, Routes, SessionId } from '@tacit/contract'

/** `address` is the peer's network address: kept in memory for rate limits, never stored or logged. */
export type AnyoneCaller = { readonly kind: 'anyone'; readonly address: string }
export type AccountCaller = {
  readonly kind: 'account'
  readonly address: string
  readonly account: AccountId
  readonly session: SessionId
}
export type DeviceCaller = {
  readonly kind: 'device'
  readonly address: string
  readonly account: AccountId
  readonly session: SessionId
  readonly device: DeviceId
}
export type Caller = AnyoneCaller | AccountCaller | DeviceCaller

/** What the gateway guarantees to a handler of that access. */
export type CallerFor<A extends Access> = A extends 'device' ? DeviceCaller : A extends 'account' ? AccountCaller | DeviceCaller : Caller

export type RouteCall<R extends RouteSpec> = RouteInput<R> & { readonly caller: CallerFor<R['access']> }
/** A result as a handler may give it: bytes on any buffer. */
export type Given<T> = T extends string | number | boolean | null
  ? T
  : T extends Uint8Array
    ? Uint8Array
    : T extends readonly (infer Item)[]
      ? readonly Given<Item>[]
      : { readonly [Name in keyof T]: Given<T[Name]> }

export type RouteHandler<R extends RouteSpec> = (call: RouteCall<R>) => Promise<Given<RouteResult<R>>>

/** One handler for each route of a room. */
export type RoomHandlers<Room extends Readonly<Record<string, RouteSpec>>> = { readonly [Name in keyof Room]: RouteHandler<Room[Name]> }

/** One room of handlers for each room of the contract. */
export type HouseHandlers = { readonly [Room in keyof Routes]: RoomHandlers<Routes[Room]> }
