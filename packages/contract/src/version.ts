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
  {
    version: 2,
    fingerprint: 'e9bbbe1a0aad42a2d8b1614d7c593f74163062aa73a7b9156f51f91cc2903399',
    what: 'NACK: a device reports a commit that it could not process.',
  },
  {
    version: 3,
    fingerprint: '774f551a5af4f40be4c2fe012577ca40b90edc1970f7db54a4809c522721e1a1',
    what: 'Turns for routine commits, and the refusal `busy`.',
  },
  {
    version: 4,
    fingerprint: 'ae79d88be0b906623a1c5c3f92029b71cd9d3ae7c46cbe19f4af4acd1924d63b',
    what: 'Verified commits, trees by epoch.',
  },
  {
    version: 5,
    fingerprint: 'bd6cef22ce484cbff26432d6757f5dc8a5fc5945c18c26a6511aa6aadbc507b3',
    what: 'Commits as large as a conversation of 1,000 leaves needs.',
  },
  {
    version: 6,
    fingerprint: '637c8291407f0b3bc558a3365b4b937d911fd24d1b3bf0058f9c295c279f8f9b',
    what: 'The log of device lists, and its proofs.',
  },
  {
    version: 7,
    fingerprint: 'efcae1994e6c0fc9fadcaf1354952d3ae1fd08702c6d2a49dc4911296de01e97',
    what: 'A server that is ready but slow to hear of others says so.',
  },
  {
    version: 8,
    fingerprint: 'bb77f2de7ea8c0eb84ca969904960b5ecbc9c4c6029a43b9cc8cf4368125077e',
    what: 'What the server holds on me.',
  },
  {
    version: 9,
    fingerprint: '358be43a35c82835faec8f2ca8badc499a32cf211777b4594715c91f92bf2f69',
    what: 'The vault in parts, its key encrypted to public keys and replaceable.',
  },
  {
    version: 10,
    fingerprint: '5f5882d2075a8c64fb17c4eb92ada35036a267581e18837e949047d603d966fc',
    what: 'Linking a device, and proving again who is there.',
  },
  {
    version: 11,
    fingerprint: '1940fc0c35e78e213a1bd60830ef20014923b7c21123c592dba97ddbbc17117d',
    what: 'The archive.',
  },
  {
    version: 12,
    fingerprint: '103df1c7a3b3a753c38741b40995c9d4a4c3701c096c430facb9505ecf7d7b9f',
    what: 'Recovery kits, changing the ways to sign in, and beginning anew.',
  },
  {
    version: 13,
    fingerprint: '088fb0765edffda2327c2180cd8223c304924867edb001b1c3b93aaefb51d00f',
    what: 'What happened to my account.',
  },
  {
    version: 14,
    fingerprint: '41f2cc47b073963e362e5b233af6c7e73f3e279a5a1c9c75c8e0096fc80bd3d6',
    what: 'More of what happened to my account.',
  },
  {
    version: 15,
    fingerprint: 'bc9c432dc661bfba80743307132a1813d109f52c57589d97afba263a2a503c5a',
    what: 'Ways to sign in change only for somebody who has just proved who they are.',
  },
  {
    version: 16,
    fingerprint: '101f02d0a9cfeb812809e5788da6a8b9a1999165d492eefefab00d61f7b2781d',
    what: 'An archive is erased without knowing what is in it.',
  },
  {
    version: 17,
    fingerprint: 'efcff417d191ca2325f8901548cd10f42b0ad433f2871fb856f032e05856724e',
    what: 'A restored server is offered device lists again.',
  },
]

export const CONTRACT_VERSION = 17

/** The oldest contract that a server still serves. */
export const OLDEST_CONTRACT = 9
