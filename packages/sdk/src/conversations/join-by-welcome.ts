/** Joining by Welcome: somebody added this device with one of its key packages. */
import { Refusal, type EventOf } from '@tacit/contract'
import { MlsError, type Joined, type KeyPackagePair } from '@tacit/mls'
import { LeafCheck } from '../devices/authenticate-leaf.ts'
import type { DeviceCore } from '../device-core.ts'
import { catchUp } from '../inbox/receive.ts'
import { eraseUsedKeyPackage, findKeyPackage } from '../keys/key-packages.ts'
import { welcomeRefs } from '../keys/welcome-refs.ts'
import type { NewItem } from '../messages/items.store.ts'
import { idBytes } from '../sealing.ts'
import { noteBroughtIn } from '../requests/admission.ts'
import { beginConversation, transcriptUpTo } from './begin.ts'
import { missed } from './join-by-commit.ts'
import { saveConversation } from './conversation.store.ts'
import { fetchTree } from './fetch-tree.ts'
import type { Hold } from './held.ts'
import { mayTake } from './judge-return.ts'
import { NEVER_ROTATED } from './rotation.ts'
import { EMPTY_TRANSCRIPT, readNote } from './transcript.ts'

type Welcomed = EventOf<'conversations.welcome'>

/**
 * Stores the group, then lets the server forget the Welcome. One that cannot be used changes nothing for a member, and leaves
 * the conversation `joining` for others, to be entered by external commit. Rejects with `Unreachable` when a leaf could not be judged; the Welcome then comes again.
 */
export async function joinByWelcome(core: DeviceCore, welcomed: Welcomed): Promise<void> {
  const { conversation, welcome } = welcomed
  // Who was removed and added again may still read up to the removal, with the group that ends there.
  await catchUpBefore(core, welcomed)
  await core.conversations.hold(conversation, async (hold) => {
    const known = hold.state?.standing === 'active' && hold.state.cursor >= welcomed.seq
    if (known) return
    const joined = await openWelcome(core, welcomed)
    if (!joined || !(await isOffered(core, hold, joined.joined))) return turnDown(core, hold, welcomed)
    await begin(core, hold, { welcomed, ...joined })
    if (joined.keyPackage.lastResort) core.lastResortUsed()
  })
  core.wake(conversation)
  core.noted()
  core.received(conversation, [])
  core.wire.send('conversations.acknowledgeWelcomes', { welcomes: [welcome] }).catch(() => undefined)
}

/** A Welcome of an epoch that this device was past already is an old one, said again: it would take the group back. */
async function isOffered(core: DeviceCore, { conversation, state }: Hold, { group, signer }: Joined): Promise<boolean> {
  if (state && group.epoch <= BigInt(state.epoch)) return false
  return mayTake(core, { conversation, state, group, signer })
}

async function catchUpBefore(core: DeviceCore, { conversation, seq }: Welcomed): Promise<void> {
  const state = await core.conversations.hold(conversation, async (hold) => hold.state)
  if (state?.standing !== 'active' || state.cursor >= seq) return
  await catchUp(core, conversation, seq - 1).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.failure !== 'not_found') throw error
  })
}

async function openWelcome(core: DeviceCore, welcomed: Welcomed) {
  const keyPackage = await findPackage(core, welcomed.bytes)
  const ratchetTree = keyPackage && (await treeBehind(core, welcomed))
  if (!keyPackage || !ratchetTree) return undefined
  const check = new LeafCheck(core, { path: 'tree' })
  try {
    const joined = await core.engine.join({
      welcome: welcomed.bytes,
      ratchetTree,
      keyPackage,
      identity: core.identity,
      authenticate: check.authenticate,
      now: BigInt(Math.floor(core.clock.now() / 1000)),
    })
    const isTheirs = idBytes(welcomed.conversation).every((byte, at) => byte === joined.group.groupId[at])
    return isTheirs ? { joined, keyPackage } : undefined
  } catch (error) {
    check.mustHaveJudged()
    if (error instanceof MlsError) return undefined
    throw error
  }
}

/** Undefined when the server does not have it: then the Welcome leads nowhere. */
async function treeBehind(core: DeviceCore, welcomed: Welcomed): Promise<Uint8Array | undefined> {
  try {
    return await fetchTree(core, welcomed)
  } catch (error) {
    if (error instanceof Refusal && ['not_found', 'stale_epoch'].includes(error.failure)) return undefined
    throw error
  }
}

async function findPackage(core: DeviceCore, welcome: Uint8Array): ReturnType<typeof findKeyPackage> {
  for (const ref of welcomeRefs(welcome)) {
    const found = await findKeyPackage(core.store, ref)
    if (found) return found
  }
  return undefined
}

async function begin(
  core: DeviceCore,
  hold: Hold,
  { welcomed, joined, keyPackage }: { welcomed: Welcomed; joined: Joined; keyPackage: KeyPackagePair },
): Promise<void> {
  const { conversation, seq } = welcomed
  const signer = await core.certificates.read(joined.signer.credential)
  const by = signer?.account ?? core.account
  const joinedNotice: NewItem = { kind: 'notice', notice: { kind: 'joined', person: core.account, by } }
  const begins: NewItem = { kind: 'notice', notice: { kind: 'history_begins' } }
  const isRepair = hold.state?.standing === 'paused'
  await beginConversation(core, hold, {
    group: joined.group,
    seq,
    transcript: await transcriptUpTo(core, { conversation, from: readNote(joined.note), upTo: seq }),
    clientSeq: hold.state?.clientSeq ?? 0,
    items: isRepair ? await missed(core, hold, { group: joined.group, seq }) : [by === core.account ? begins : joinedNotice],
    // What is sealed stays: whether it was accepted before this device was removed and added again, only the server can say.
    write: async (writer) => {
      await eraseUsedKeyPackage(writer, keyPackage.ref)
      if (!isRepair) await noteBroughtIn(writer, core, { conversation, by })
    },
  })
}

/** Whoever is inside stays there: the server can say any old Welcome again. Whoever is not waits for another way in. */
async function turnDown(core: DeviceCore, hold: Hold, { conversation, kind }: Welcomed): Promise<void> {
  const { state } = hold
  if (state?.standing === 'active' || state?.standing === 'paused') return
  const joining = state ? { ...state, standing: 'joining' as const } : emptyConversation({ conversation, kind, now: core.clock.now() })
  await hold.store({ state: joining, group: 'none', write: (writer) => saveConversation(writer, joining) })
}

/** A conversation that this device knows of and has not joined. */
export const emptyConversation = ({ conversation, kind, now }: Pick<Welcomed, 'conversation' | 'kind'> & { readonly now: number }) => ({
  conversation,
  kind,
  standing: 'joining' as const,
  stuck: false,
  title: '',
  titleOwed: 0,
  peer: undefined,
  epoch: 0,
  cursor: 0,
  transcript: EMPTY_TRANSCRIPT,
  begins: 0,
  clientSeq: 0,
  readSeq: 0,
  rotation: NEVER_ROTATED,
  activity: now,
})
