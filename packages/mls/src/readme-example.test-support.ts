/** The example of README.md, which `readme.test.ts` compares with this file and runs. */
import { createMlsEngine } from './index.ts'
import type { AuthenticateLeaf, LeafIdentity } from './index.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
/** Seconds since 1970: the engine reads no clock. */
const now = 1_800_000_000n

const engine = await createMlsEngine()

// A device is a credential, opaque to MLS, and a signature pair. Where both come from is up to you.
const newDevice = async (credential: string): Promise<LeafIdentity> => ({
  credential: utf8(credential),
  signature: await engine.generateSignaturePair(),
})
const alice = await newDevice('certificate of Alice')
const bob = await newDevice('certificate of Bob')

// You decide who may be in a group. There is no default that accepts everybody.
const known = new Map([alice, bob].map(({ credential, signature }) => [credential.join(), signature.publicKey.join()]))
const authenticate: AuthenticateLeaf = async ({ credential, signatureKey }) => known.get(credential.join()) === signatureKey.join()
const judge = async () => true

// Bob publishes a key package and keeps its secret part to himself.
const keyPackage = await engine.createKeyPackage({ identity: bob, notBefore: now, notAfter: now + 86_400n, lastResort: false })

// Alice founds a group and adds him. The commit counts once your server has put it into its log, and is merged then.
const founded = await engine.createGroup({ groupId: utf8('a group'), identity: alice, policy: utf8('') })
const added = await engine.commit(founded.group, { add: [keyPackage.keyPackage], authenticate, now })
const welcome = added.welcomes[0]?.bytes ?? new Uint8Array()
const merged = engine.merge(founded.group, added.next)
const joined = await engine.join({ welcome, keyPackage, identity: bob, authenticate, now })

// A message: every call gives the next group, and what to store before its output leaves the device.
const said = await engine.seal(merged.group, utf8('hello'))
const heard = await engine.open(joined.group, said.sealed, { authenticate, judge, now })

// Storage: a snapshot replaces everything, a delta changes rows; `bytes` undefined erases one, and with it consumed keys.
const rows = new Map(joined.persist.slots.map(({ slot, bytes }) => [slot, bytes]))
for (const { slot, bytes } of heard.persist.slots) {
  if (bytes) rows.set(slot, bytes)
  else rows.delete(slot)
}
// Once stored, the keys that were used can be overwritten, and not only forgotten.
for (const secret of heard.wipe) secret.fill(0)
const slots = [...rows].map(([slot, bytes]) => ({ slot, bytes }))
const restored = await engine.restore({ snapshot: joined.persist.bytes, slots, identity: bob })

export const read = heard.kind === 'message' ? new TextDecoder().decode(heard.payload) : undefined
export const agreed = restored.epochAuthenticator.join() === said.group.epochAuthenticator.join()
