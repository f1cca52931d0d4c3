/**
 * The contract's version. A change of any schema changes the fingerprint; the test beside this file then fails until a
 * history line is added. The floor says how old a client the server still serves, and rises only by decision.
 */

interface VersionLine {
  readonly version: number
  /** SHA-256 over the JSON Schemas of all routes, commands and events, as hex. */
  readonly fingerprint: string
  readonly what: string
}

export const history: readonly VersionLine[] = [
  { version: 1, fingerprint: 'b6d55c91e9726bbd1e91585b27a4160d2134b1105480a63dbaa2e29884d5a0de', what: 'The first contract.' },
]

export const CONTRACT_VERSION = 1

/** The oldest contract that a server still serves. */
export const OLDEST_CONTRACT = 1
