/**
 * Every size and count that the wire bounds, in one place (limits L-02 to L-08 of the threat model). Both sides use it:
 * the server refuses what is over, the SDK never sends it.
 */

const KIB = 1024

export const limits = {
  /** JSON request body, bytes. */
  jsonBody: 1024 * KIB,
  /** One socket frame, bytes, whole; the largest commit fits with its Welcome and GroupInfo. */
  frame: 2560 * KIB,
  /** One application message or proposal as MLS bytes. */
  message: 64 * KIB,
  /** An update in a conversation of 1,000 leaves whose tree is blank: 1.2 KB for each with the hybrid suite. */
  commit: 1536 * KIB,
  welcome: 512 * KIB,
  /** One NACK, signed. */
  nack: 512,
  /** Without a tree: mostly the policy. */
  groupInfo: 128 * KIB,
  /** One leaf of a tree. */
  leaf: 4 * KIB,
  /** The tree of a conversation with the most members. */
  ratchetTree: 8192 * KIB,
  /** One ephemeral signal, sealed. */
  signal: 1 * KIB,
  /** One kept receipt value, sealed. */
  receipt: 1 * KIB,
  keyPackage: 16 * KIB,
  /** The longest lifetime of a key package, in seconds. */
  keyPackageLifetime: 90 * 86_400,
  /** One-time key packages a device may have on the server. */
  keyPackagesPerDevice: 100,
  keyPackagesPerUpload: 50,
  /** A device refills when it has fewer than this. */
  keyPackagesLow: 30,
  devicesPerAccount: 8,
  /** Devices (leaves) in one conversation. */
  membersPerConversation: 1000,
  deviceList: 8 * KIB,
  /** One part of a vault, sealed. */
  vaultPart: 256 * KIB,
  /** The vault key, encrypted to one public key of the hybrid suite. */
  vaultUnlock: 2 * KIB,
  /** Ways to open one vault, its devices apart. */
  unlocksPerAccount: 16,
  /** What the old device hands to a linked one, sealed and signed. */
  linkBox: 2 * KIB,
  /** One segment of an archive, sealed. */
  archiveSegment: 256 * KIB,
  archiveSegments: 1000,
  /** The list of an archive's segments, sealed. */
  archiveHead: 128 * KIB,
  /** Segments in one change. */
  archivePut: 4,
  /** Conversations named in one frame. */
  cursorsPerFrame: 1000,
  welcomeAcksPerFrame: 1000,
  /** What proves one account's place among 2^64, more than there will be. */
  transparencyProof: 16 * KIB,
  /** Rows of what the server holds on me in one answer. */
  heldRowsPage: 200,
  securityEventsPage: 200,
  /** Entries of the log of device lists in one answer. */
  transparencyPage: 1000,
  entriesPerPage: 500,
  hashesPerPage: 500,
  conversationsPerPage: 100,
  sessionsPerAccount: 100,
  handleMin: 3,
  handleMax: 32,
  /** Unacknowledged window towards one socket (L-13). */
  windowEntries: 256,
  windowBytes: 1024 * KIB,
} as const

/**
 * A device acknowledges when what it has stored takes up a quarter of the window, or so many milliseconds after the first of it:
 * nobody waits for it sooner, and each acknowledgement costs the server as much as half a message. Advice to devices; the server
 * holds nobody to it.
 */
export const ACKNOWLEDGE_WITHIN = 200
