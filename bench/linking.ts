/**
 * How long it takes from the moment when a link is approved until the new device can write in every conversation:
 * `npm run bench:linking [-- conversations]`. A real server, real devices, one process; each conversation is a direct one or a
 * group of three.
 */
import { openWorld, PASSWORD, until, type WorldDevice } from '@tacit/testbed'

const count = Number(process.argv[2] ?? 20)
const ROUNDS = 3

await using world = await openWorld()
const others = await Promise.all(['bob', 'carol'].map((handle) => world.signedUp(handle)))
const alice = await world.signedUp('alice')
const conversations = [await alice.startDirect({ handle: 'bob' }), await alice.startDirect({ handle: 'carol' })]
for (let number = conversations.length; number < count; number++)
  conversations.push(await alice.createGroup({ title: `Group ${number}`, handles: ['bob', 'carol'] }))
for (const conversation of conversations) await alice.send({ conversation, text: 'before' })
await Promise.all([alice, ...others].map((device) => device.settle({ within: 60_000 })))

const rows = []
for (let round = 1; round <= ROUNDS; round++) rows.push(await measure(await world.device(`new-${round}`)))
console.table(rows)

/** Milliseconds from the approval on. */
async function measure(device: WorldDevice) {
  await device.beginLinking({ deviceName: device.name })
  const shown = await until(device.watch('linking'), ({ kind }) => kind === 'showing')
  if (shown.kind !== 'showing') throw new Error('no code')
  await alice.claimLink({ code: shown.code })
  await until(device.watch('linking'), ({ kind }) => kind === 'comparing')
  await alice.proveByPassword({ password: PASSWORD })
  const began = performance.now()
  const since = () => Math.round(performance.now() - began)
  const approved = alice.approveLink()
  await until(device.watch('session'), ({ kind }) => kind === 'signed_in')
  const signedIn = since()
  const active = (least: number) =>
    until(device.watch('conversations'), (all) => (all ?? []).filter(({ standing }) => standing === 'active').length >= least)
  await active(1)
  const first = since()
  await active(count)
  const all = since()
  await approved
  for (const conversation of conversations) await device.send({ conversation, text: `from ${device.name}` })
  await device.settle({ within: 60_000 })
  return {
    conversations: count,
    'signed in (ms)': signedIn,
    'first joined (ms)': first,
    'all joined (ms)': all,
    'written in all (ms)': since(),
  }
}
