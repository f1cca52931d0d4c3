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
  { version: 1, fingerprint: 'a6f7b6761ee761159a28071043b4085ecbc4ea9302432c64626250a6489887b3', what: 'The first contract.' },
]

export const CONTRACT_VERSION = 1

/** The oldest contract that a server still serves. */
export const OLDEST_CONTRACT = 1
