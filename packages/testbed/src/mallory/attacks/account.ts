/** Attacks on what belongs to one person: a device that is being linked, and the archive of what was said. */
import { toBase64Url } from '@tacit/contract'
import type { LinkingState } from '@tacit/sdk'
import { PASSWORD } from '../../world.ts'
import { until } from '../../until.ts'
import { bytesIn, fieldOf } from '../ghost.ts'
import { unless, type Outcome, type Row } from '../row.ts'
import { hasHistoryOrWord, isIn, pair, says, textsAt, sees, type Stage, type Victim } from '../stage.ts'

/** How far a link is; over, when it ended before it came so far. */
async function linking<K extends LinkingState['kind']>(victim: Victim, kind: K): Promise<Extract<LinkingState, { kind: K }> | undefined> {
  const state = await until(victim.messenger.watch('linking'), (now) => now.kind === kind || now.kind === 'over')
  return state.kind === kind ? (state as Extract<LinkingState, { kind: K }>) : undefined
}

/** Stands between a new device and the one that lets it in, with keys of its own on one side or the other. */
async function betweenDevices(stage: Stage): Promise<Outcome> {
  const [alice, tablet] = await Promise.all([stage.person('alice'), stage.emptyDevice()])
  const key = toBase64Url(stage.dice.bytes(32))
  const isToNew = stage.dice.onceIn(2)
  if (isToNew)
    tablet.weather.forgeAnswers((url, body) =>
      url.endsWith('/v1/links/look') && fieldOf(body, 'kind') === 'offered' ? { ...Object(body), key } : body,
    )
  else
    alice.weather.forgeAnswers((url, body) => {
      if (!url.includes('/v1/links/') || fieldOf(body, 'kind') !== 'revealed') return body
      const box = bytesIn(body, 'key')
      return { ...Object(body), key: toBase64Url(stage.dice.bytes(box.length)) }
    })
  await tablet.as((messenger) => messenger.beginLinking({}))
  const shown = await linking(tablet, 'showing')
  await alice.as((messenger) => messenger.claimLink({ code: shown?.code ?? '' }))
  const [old, young] = await Promise.all([linking(alice, 'comparing'), linking(tablet, 'comparing')])
  const looksRight = old !== undefined && young !== undefined && old.digits === young.digits
  // A person who does not compare.
  if (old && stage.dice.onceIn(2)) {
    await alice.as((messenger) => messenger.proveByPassword({ password: PASSWORD }))
    await alice.as((messenger) => messenger.approveLink()).catch(() => undefined)
    await stage.pass(1000)
  }
  const isIn = tablet.messenger.watch('session').get().kind === 'signed_in'
  return unless([looksRight, 'both devices show the same digits'], [isIn, 'the new device was let in by the server’s keys'])
}

/** Changes, exchanges or withholds what the archive gives a new device. */
async function spoilArchive(stage: Stage): Promise<Outcome> {
  const { alice, bob, conversation } = await pair(stage)
  const said: string[] = []
  for (let left = 3; left > 0; left -= 1) said.push(await says(left % 2 === 0 ? alice : bob, conversation, [left % 2 === 0 ? bob : alice]))
  await alice.as((messenger) => messenger.settle({ within: 20_000 }))
  await until(alice.messenger.watch('history'), (history) => history !== undefined && history.waiting === 0)
  const honest = textsAt(alice, conversation)
  const tablet = await stage.emptyDevice()
  const trick = stage.dice.below(3)
  tablet.weather.forgeAnswers((url, body) => {
    if (!/archive\/segments\/\d+/.test(url)) return body
    const bytes = bytesIn(body, 'bytes')
    if (trick === 0) return { ...Object(body), bytes: toBase64Url(bytes.subarray(0, -stage.dice.between(1, 40))) }
    if (trick === 1)
      return { ...Object(body), bytes: toBase64Url(bytes.map((byte, at) => (at === stage.dice.below(bytes.length) ? byte ^ 1 : byte))) }
    return { ...Object(body), bytes: toBase64Url(stage.dice.bytes(bytes.length)) }
  })
  await tablet.as((messenger) => messenger.signIn({ handle: alice.handle, password: PASSWORD }))
  await isIn(tablet, conversation)
  await sees(tablet, conversation, () => true)
  const after = await says(bob, conversation, [tablet])
  const isTold = await hasHistoryOrWord(stage, tablet, conversation)
  const shown = textsAt(tablet, conversation)
  const foreign = shown.filter((text) => text !== after && !honest.includes(text))
  const isReordered = shown.filter((text) => text !== after).join() !== honest.filter((text) => shown.includes(text)).join()
  return unless(
    [foreign.length > 0, `it shows ${foreign.join()}`],
    [isReordered, 'history is in another order'],
    [!isTold, 'history is missing and nothing says so'],
  )
}

const prevented = { kind: 'prevented' } as const

export const accountAttacks: readonly Row[] = [
  { id: 'M-29', attack: 'stands between two devices that are being linked', verdict: prevented, play: betweenDevices },
  { id: 'M-36', attack: 'spoils the archive on its way to a new device', verdict: prevented, play: spoilArchive },
]
