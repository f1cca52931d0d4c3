/** Real groups of devices on the bare wire: the server verifies what opens and changes a conversation, so only messages may be made up. */
import { ConversationId, encodePolicy, fromBase64Url, toBase64Url, type BodyOf } from '@tacit/contract'
import { createMlsEngine, type Group, type KeyPackagePair } from '@tacit/mls'
import { randomId, type WireDevice } from './wire-device.ts'

const engine = await createMlsEngine({ treeInWelcome: false })

export interface WireGroup {
  readonly conversation: ConversationId
  readonly group: Group
}

/** The body by which a device opens a conversation, and the group behind it. */
export async function newWireGroup({ account, identity }: WireDevice, conversation = ConversationId.parse(randomId())) {
  const groupId = fromBase64Url(conversation) ?? new Uint8Array()
  const made = await engine.createGroup({ groupId, identity, policy: encodePolicy({ kind: 'group', admins: [account] }) })
  const [groupInfo, ratchetTree] = [toBase64Url(made.groupInfo), toBase64Url(made.ratchetTree)]
  return { group: made.group, body: { conversation, kind: 'group', groupInfo, ratchetTree } }
}

/** Opens a conversation of one. */
export async function openOnWire(device: WireDevice): Promise<WireGroup> {
  const { group, body } = await newWireGroup(device)
  const answer = await device.request('POST', '/v1/conversations', body)
  if (answer.status !== 201) throw new Error(`the conversation was refused: ${answer.status} ${answer.text}`)
  return { conversation: body.conversation, group }
}

/** The commit by which the founder of a conversation adds others, at epoch 0. */
export async function commitOnWire(opened: WireGroup, added: readonly WireDevice[]): Promise<BodyOf<'conversations.commit'>> {
  return (await additionOnWire(opened, added)).body
}

/** A key package of a device, for today. */
export function keyPackageOf({ identity }: WireDevice): Promise<KeyPackagePair> {
  const now = BigInt(Math.floor(Date.now() / 1000))
  return engine.createKeyPackage({ identity, notBefore: now - 3600n, notAfter: now + 86_400n, lastResort: false })
}

/** The same, and the group that it makes. */
export async function additionOnWire({ conversation, group }: WireGroup, added: readonly WireDevice[]) {
  const packages = await Promise.all(added.map(keyPackageOf))
  const add = packages.map(({ keyPackage }) => keyPackage)
  const { commit, welcomes, groupInfo, next } = await engine.commit(group, { add, authenticate: () => Promise.resolve(true) })
  const welcome = welcomes[0] ? new Uint8Array(welcomes[0].bytes) : null
  const body = { conversation, epoch: 0, clientSeq: 1, commit: new Uint8Array(commit), welcome, groupInfo: new Uint8Array(groupInfo) }
  return { body, next }
}
