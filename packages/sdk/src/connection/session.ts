/**
 * The session's tokens: kept in the store, renewed before they end and by one request at a time, whoever asks. The new pair
 * is stored before it is used: an old refresh token presented later would look like a thief's and end the session.
 */
import { Refusal, routes, type RouteResult, type RouteSpec, type SessionTokens } from '@tacit/contract'
import type { Clock } from '../surroundings.ts'
import { callRoute, type Arguments, type Server } from './http.ts'

export interface StoredTokens {
  readonly accessToken: string
  /** Milliseconds by our clock. */
  readonly accessUntil: number
  readonly refreshToken: string
}

export interface SessionParts {
  readonly server: Server
  readonly clock: Clock
  /** Undefined when the session is over already. */
  readonly tokens: StoredTokens | undefined
  readonly save: (tokens: StoredTokens) => Promise<void>
  /** The server ended this session; called once. */
  readonly ended: () => void
}

/** Renew when less than this is left, in milliseconds. */
const MARGIN = 60_000

export const storedTokens = (tokens: SessionTokens, now: number): StoredTokens => ({
  accessToken: tokens.accessToken,
  accessUntil: now + tokens.accessExpiresIn * 1000,
  refreshToken: tokens.refreshToken,
})

export class Session {
  readonly #parts: SessionParts
  #tokens: StoredTokens | undefined
  #renewal: Promise<string> | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#tokens = parts.tokens
  }

  get tokens(): StoredTokens | undefined {
    return this.#tokens
  }

  /** A token that is good for a while. Rejects with `Unreachable`, or `Refusal` `session_ended`. */
  async accessToken(): Promise<string> {
    const tokens = this.#mustGoOn()
    return tokens.accessUntil - this.#parts.clock.now() > MARGIN ? tokens.accessToken : this.renew()
  }

  /** New tokens; those who ask at the same time share one request. */
  renew(): Promise<string> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  /** Calls a route with a token that is renewed when the server says that it ended. */
  async call<R extends RouteSpec>(route: R, given: Arguments<R>): Promise<RouteResult<R>> {
    const token = await this.accessToken()
    try {
      return await callRoute(this.#parts.server, { route, given, token })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.failure === 'session_ended') this.end()
      if (error.failure !== 'unauthenticated') throw error
    }
    // Another call may have renewed meanwhile; its token is as good.
    const fresh = token === this.#tokens?.accessToken ? await this.renew() : await this.accessToken()
    return callRoute(this.#parts.server, { route, given, token: fresh })
  }

  /** The server said that this session is over. */
  end(): void {
    if (!this.#tokens) return
    this.#tokens = undefined
    this.#parts.ended()
  }

  async #renew(): Promise<string> {
    const { server, clock, save } = this.#parts
    const { refreshToken } = this.#mustGoOn()
    try {
      const given = { body: { refreshToken } }
      const renewed = storedTokens(await callRoute(server, { route: routes.sessions.renew, given }), clock.now())
      await save(renewed)
      this.#tokens = renewed
      return renewed.accessToken
    } catch (error) {
      if (error instanceof Refusal && (error.failure === 'session_ended' || error.failure === 'unauthenticated')) this.end()
      throw error
    }
  }

  #mustGoOn(): StoredTokens {
    if (!this.#tokens) throw new Refusal('session_ended')
    return this.#tokens
  }
}
