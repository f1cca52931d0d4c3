/** What one socket, device, account or address may do (limits L-09 to L-16 of the threat model). */
import type { BucketSize } from './token-bucket.ts'

const SECOND = 1000
const KIB = 1024

export interface SocketLimits {
  /** How long a socket may stay without a good `hello`, milliseconds. */
  readonly helloWithin: number
  /** Silence after which the server pings, and after which the socket is dead, milliseconds. */
  readonly pingAfter: number
  readonly deadAfter: number
  /** How long before the token's end the device is told, milliseconds. */
  readonly expiryNotice: number
  /** Outbound buffer in bytes: reading from the log pauses, the socket is closed. */
  readonly softBuffer: number
  readonly hardBuffer: number
  /** A reader that keeps its buffer over the soft limit for so long is closed, milliseconds. */
  readonly slowFor: number
  /** Commands of one socket that may be under way before reading from it pauses. */
  readonly inFlight: number
  /** Bytes of one socket that are read in a turn of the loop; who brings more is read on in turns with others who do. */
  readonly atOnce: number
  /** How long a socket is not read after it was refused for a spent budget, milliseconds. */
  readonly restsFor: number
  /** What is still read of a socket that was closed, bytes, and how long one that brings more stays, unread, milliseconds. */
  readonly afterEnd: number
  readonly lingers: number
  readonly fragments: number
  readonly bufferedChunks: number
  /** Sockets without hello, and all sockets, of one address; sockets of one account. */
  readonly openingPerAddress: number
  readonly perAddress: number
  readonly perAccount: number
  /** New sockets of one address. */
  readonly handshakes: BucketSize
  /** All frames of a device, control frames too, and one more for every 4 KiB: what exceeds it is a flood. */
  readonly frames: BucketSize
  /** Bytes that all devices of an account bring: who brings more is not refused but read later, and at most so late, milliseconds. */
  readonly bytes: BucketSize
  readonly readsWithin: number
  /** Refused frames after which a flooding socket is closed. */
  readonly strikes: number
  /** Per device. */
  readonly sends: BucketSize
  readonly commits: BucketSize
  readonly asks: BucketSize
  readonly signals: BucketSize
  /** Bytes accepted into one conversation: what each of its devices is given. */
  readonly inbound: BucketSize
}

/** `factor` multiplies every count and rate, not the times and sizes. */
export function socketLimits(factor: number): SocketLimits {
  const bucket = (burst: number, perSecond: number): BucketSize => ({ burst: burst * factor, perSecond: perSecond * factor })
  return {
    helloWithin: 5 * SECOND,
    pingAfter: 25 * SECOND,
    // With the second between two looks: a half-open connection is noticed within 45 s (F-18).
    deadAfter: 44 * SECOND,
    expiryNotice: 60 * SECOND,
    softBuffer: 256 * KIB,
    // More than the soft limit and the largest frame together.
    hardBuffer: 2048 * KIB,
    slowFor: 30 * SECOND,
    inFlight: 256,
    // A read of the system brings as much, and without a bound it makes 32 of them of each socket in a turn.
    atOnce: 64 * KIB,
    restsFor: SECOND / 4,
    afterEnd: 64 * KIB,
    // So that the closing frame arrives before the connection is reset.
    lingers: SECOND / 2,
    fragments: 64,
    bufferedChunks: 1024,
    openingPerAddress: 20 * factor,
    perAddress: 200 * factor,
    perAccount: 32 * factor,
    handshakes: bucket(50, 10),
    frames: bucket(400, 200),
    // What people write in all of a day is less. A frame is read whole: after the largest one the next is read five seconds later.
    bytes: bucket(1024 * KIB, 256 * KIB),
    readsWithin: 5 * SECOND,
    strikes: 3,
    sends: bucket(60, 5),
    // A new device joins every conversation of its account by a commit each, and one that comes back renews its keys in front
    // of each reply: 10 at once and one in 10 s (L-16) would hold up people's messages (docs/threat-model.md).
    commits: bucket(120, 0.5),
    // For a turn in each conversation where something waits, and again with each epoch.
    asks: bucket(300, 10),
    signals: bucket(60, 10),
    // By conversation and not by device (L-17): a log is stored once for all who read it, and a flood in one conversation must
    // not keep its victims from hearing the others.
    inbound: bucket(128 * 1024 * KIB, 4 * KIB),
  }
}
