/** The device that is signed in: brings the code, compares the digits, and hands the account over when its person says so. */
import { equalBytes, limits, readDeviceList, routes, type LinkCode, type LinkForOld } from '@tacit/contract'
import type { Self } from '../account/settings.ts'
import type { Session } from '../connection/session.ts'
import type { Clock, Random } from '../surroundings.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import type { VaultKey } from '../vault/parts.ts'
import { readCode, type ReadCode } from './code.ts'
import { LinkEnded, lookUntil, whyOver, type Attempt, type Linking } from './linking.ts'
import { keepsItsWord, sealHandover, shortDigits, type Exchange } from './protocol.ts'

export interface OldSideParts {
  readonly linking: Linking
  readonly session: Session
  readonly self: Pick<Self, 'account' | 'accountKey'>
  /** The vault key as it is now. */
  readonly vaultKey: () => Promise<VaultKey>
  /** Origin of the server. */
  readonly server: string
  readonly clock: Clock
  readonly random: Random
}

/** A link whose digits are being compared. */
export interface Comparing {
  readonly attempt: Attempt
  readonly code: LinkCode
  readonly exchange: Exchange
  readonly by: SigningKey
  readonly until: number
}

type CodeOfOurs = Exclude<ReadCode, { kind: 'not_a_code' }>

/** How long the new device may take to come for what it was handed, in milliseconds. */
const COLLECTING = 20_000

/** Brings the code and exchanges keys; then the digits are shown. Undefined when the link ended, which is shown; rejects when the server cannot be asked. */
export async function bringCode(parts: OldSideParts, given: string): Promise<Comparing | undefined> {
  const { linking, session } = parts
  const read = readCode(given)
  const cancel = async () =>
    void (read.kind !== 'not_a_code' && (await session.call(routes.linking.cancel, { params: { code: read.code } })))
  const attempt = linking.begin('old', cancel)
  try {
    const ours = mustBeHere(read, parts.server)
    await mustHaveRoom(parts)
    return await meet(parts, { attempt, read: ours })
  } catch (error) {
    if (error instanceof LinkEnded) await cancel().catch(() => undefined)
    endWith(parts, attempt, error)
    return undefined
  }
}

/** Shows how the link ended, or throws what is no end of it. */
export function endWith({ linking }: Pick<OldSideParts, 'linking'>, attempt: Attempt, error: unknown): void {
  const why = whyOver(error)
  linking.end(attempt, why ? { kind: 'over', side: 'old', why } : { kind: 'idle' })
  if (!why) throw error
}

async function meet(
  { session, self, clock, random }: OldSideParts,
  { attempt, read }: { attempt: Attempt; read: CodeOfOurs },
): Promise<Comparing> {
  const params = { code: read.code }
  const { commitment, expiresIn } = await session.call(routes.linking.claim, { body: params })
  if (read.kind === 'scanned' && !equalBytes(read.commitment, commitment)) throw new LinkEnded('tampered')
  const until = clock.now() + expiresIn * 1000
  const by = await signingKeyFrom(random.bytes(32))
  // Shown only after the commitment is here: a server that could choose the commitment later could choose the digits.
  await session.call(routes.linking.offer, { params, body: { key: by.publicKey } })
  const looking = { clock, attempt, until }
  const revealed = await lookUntil(looking, async () => revealedIn(await session.call(routes.linking.show, { params })))
  const exchange = { commitment, key: revealed.key, nonce: revealed.nonce, offer: by.publicKey, account: self.account }
  if (!(await keepsItsWord(exchange))) throw new LinkEnded('tampered')
  attempt.show({ kind: 'comparing', side: 'old', digits: await shortDigits(exchange), until })
  return { attempt, code: read.code, exchange, by, until }
}

/** The person has compared. Resolves when the new device has its session; rejects with `proof_needed` and stays where it was. */
export async function handOver(parts: OldSideParts, { attempt, code, exchange, by, until }: Comparing): Promise<void> {
  const { session, self, clock } = parts
  const params = { code }
  const { account, accountKey } = self
  const vaultKey = await parts.vaultKey()
  const sealed = await sealHandover(exchange, { handover: { account, accountKey, vaultKey }, by })
  await session.call(routes.linking.approve, { params, body: { sealed } })
  attempt.show({ kind: 'finishing', side: 'old' })
  await lookUntil({ clock, attempt, until: Math.min(until, clock.now() + COLLECTING) }, async () => {
    const { kind } = await session.call(routes.linking.show, { params })
    return kind === 'taken' ? true : undefined
  })
}

const revealedIn = (link: LinkForOld) => (link.kind === 'revealed' ? link : undefined)

function mustBeHere(read: ReadCode, server: string): CodeOfOurs {
  if (read.kind === 'not_a_code') throw new LinkEnded('wrong_code')
  if (read.kind === 'scanned' && read.server !== new URL(server).origin) throw new LinkEnded('other_server')
  return read
}

/** Better told before than after the comparing. */
async function mustHaveRoom({ session }: OldSideParts): Promise<void> {
  const { deviceList } = await session.call(routes.accounts.me, {})
  const list = await readDeviceList(deviceList)
  if ((list?.devices.length ?? 0) >= limits.devicesPerAccount) throw new LinkEnded('too_many_devices')
}
