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
  { version: 1, fingerprint: '3e73a53f86bb7b8677010976d88eb8d24cad28992f0f7de136826ac8746e7a6e', what: 'The first contract.' },
]

export const CONTRACT_VERSION = 1

/** The oldest contract that a server still serves. */
export const OLDEST_CONTRACT = 1
