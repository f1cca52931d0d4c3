/** The device that wants in: shows a code, meets the device that brings it, shows the digits, and takes what it is handed. */
import { routes, type LinkForNew, type SessionTokens } from '@tacit/contract'
import { newBoxPair, type BoxPair } from '@tacit/mls'
import { callRoute, type Server } from '../connection/http.ts'
import type { Clock, Random } from '../surroundings.ts'
import { owned } from '../sealing.ts'
import { readableCode, scannableCode } from './code.ts'
import { LinkEnded, lookUntil, whyOver, type Attempt, type Linking } from './linking.ts'
import { commitmentOf, openHandover, shortDigits, type Exchange, type Handover } from './protocol.ts'

export interface NewSideParts {
  readonly linking: Linking
  readonly server: Server
  readonly clock: Clock
  readonly random: Random
}

/** The way into the account. */
export interface Admission {
  readonly tokens: SessionTokens
  readonly handover: Handover
}

interface Shown {
  readonly attempt: Attempt
  readonly pair: BoxPair
  readonly nonce: Uint8Array
  readonly commitment: Uint8Array
  readonly ticket: string
  readonly until: number
}

/** The two devices have so long from the moment when the code is brought, and a little more for the way, in milliseconds. */
const TOGETHER = 150_000

/** Resolves when the code is shown; `admitted` gets what the other device hands over, if it does. */
export async function showCode(parts: NewSideParts, admitted: (attempt: Attempt, admission: Admission) => Promise<void>): Promise<void> {
  const { linking, server, clock, random } = parts
  let ticket: string | undefined
  const giveUp = async () => void (ticket && (await callRoute(server, { route: routes.linking.giveUp, given: { body: { ticket } } })))
  const attempt = linking.begin('new', giveUp)
  try {
    const pair = await newBoxPair()
    const nonce = random.bytes(32)
    const commitment = await commitmentOf({ key: pair.publicKey, nonce })
    const begun = await callRoute(server, { route: routes.linking.begin, given: { body: { commitment } } })
    ticket = begun.ticket
    const until = clock.now() + begun.expiresIn * 1000
    const qr = scannableCode({ code: begun.code, server: new URL(server.url).origin, commitment })
    attempt.show({ kind: 'showing', code: readableCode(begun.code), qr, until })
    const shown = { attempt, pair, nonce, commitment, ticket, until }
    void beLetIn(parts, shown)
      .then((admission) => admitted(attempt, admission))
      .catch((error: unknown) => linking.end(attempt, { kind: 'over', side: 'new', why: whyOver(error) ?? 'failed' }))
  } catch (error) {
    linking.end(attempt, { kind: 'idle' })
    throw error
  }
}

async function beLetIn(parts: NewSideParts, shown: Shown): Promise<Admission> {
  const { server, clock } = parts
  const { attempt, pair, nonce, commitment, ticket } = shown
  const given = { body: { ticket } }
  const revealed = { key: owned(pair.publicKey), nonce: owned(nonce) }
  const look = async () => callRoute(server, { route: routes.linking.look, given })
  const offered = await lookUntil({ clock, attempt, until: shown.until + TOGETHER }, async () => offerIn(await look()))
  const exchange: Exchange = { commitment, key: pair.publicKey, nonce, offer: offered.key, account: offered.account }
  const digits = await shortDigits(exchange)
  const until = clock.now() + TOGETHER
  // Only now, when the other key cannot change any more, are the own ones shown.
  await lookUntil({ clock, attempt, until }, async () => {
    await callRoute(server, { route: routes.linking.reveal, given: { body: { ticket, ...revealed } } })
    return true
  })
  attempt.show({ kind: 'comparing', side: 'new', digits, handle: offered.handle, until })
  const sealed = await lookUntil({ clock, attempt, until }, async () => approvalIn(await look()))
  const handover = await openHandover(exchange, { sealed, pair })
  if (!handover) throw await betrayed(parts, ticket)
  attempt.show({ kind: 'finishing', side: 'new' })
  const tokens = await callRoute(server, { route: routes.linking.take, given })
  return { tokens, handover }
}

const offerIn = (link: LinkForNew) => (link.kind === 'offered' ? link : undefined)
const approvalIn = (link: LinkForNew) => (link.kind === 'approved' ? link.sealed : undefined)

async function betrayed({ server }: NewSideParts, ticket: string): Promise<LinkEnded> {
  await callRoute(server, { route: routes.linking.giveUp, given: { body: { ticket } } }).catch(() => undefined)
  return new LinkEnded('tampered')
}
