/**
 * Somebody whom the server slips in: keys and credentials of its own making, or those of a real account that nobody invited. It
 * can do everything that RFC 9420 lets a device do.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import {
  AccountId,
  decodeCbor,
  DeviceId,
  fromBase64Url,
  signDeviceCertificate,
  signDeviceList,
  toBase64Url,
  type ConversationId,
  type Entry,
} from '@tacit/contract'
import { createMlsEngine, type Group, type KeyPackagePair, type LeafIdentity } from '@tacit/mls'
import { EXTENSION, findExtension, readMessage } from '@tacit/mls/public'
import type { Victim } from './stage.ts'

/** One that leaves trees to the server, as ours does, and one that carries them. */
const engine = await createMlsEngine({ treeInWelcome: false })
const carrying = await createMlsEngine({ treeInWelcome: true })

const everything = { authenticate: async () => true, judge: async () => true }

const nowInSeconds = (): bigint => BigInt(Math.floor(Date.now() / 1000))
const DAY = 86_400n

const randomId = (): string => toBase64Url(new Uint8Array(randomBytes(16)))

export class Ghost {
  readonly account: AccountId
  readonly device: DeviceId
  readonly identity: LeafIdentity
  /** What signs for this account, by the ghost's word. */
  readonly accountKey: Uint8Array
  readonly #sign: (message: Uint8Array) => Promise<Uint8Array>
  readonly #groups: Group[] = []

  private constructor(made: {
    account: AccountId
    device: DeviceId
    identity: LeafIdentity
    accountKey: Uint8Array
    sign: (message: Uint8Array) => Promise<Uint8Array>
  }) {
    this.account = made.account
    this.device = made.device
    this.identity = made.identity
    this.accountKey = made.accountKey
    this.#sign = made.sign
  }

  /** Claims to be a device of `account`, or of one that does not exist. `accountKey`: what its certificate names; its own key unless given. */
  static async pretending({
    account = AccountId.parse(randomId()),
    device = DeviceId.parse(randomId()),
    accountKey,
  }: {
    account?: AccountId
    device?: DeviceId
    accountKey?: Uint8Array
  } = {}): Promise<Ghost> {
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), randomBytes(32)])
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    const own = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))
    const signs = async (message: Uint8Array): Promise<Uint8Array> => new Uint8Array(sign(null, message, privateKey))
    const signature = await engine.generateSignaturePair()
    const named = accountKey ?? own
    const notAfter = Number(nowInSeconds() + 365n * DAY)
    const certificate = { account, accountKey: named, device, signatureKey: signature.publicKey, notAfter }
    const credential = await signDeviceCertificate(certificate, signs)
    return new Ghost({ account, device, identity: { credential, signature }, accountKey: named, sign: signs })
  }

  /** A real account of the server, with its real device: in nobody's conversation. */
  static async of(insider: Victim): Promise<Ghost> {
    const [row] = await insider.look("select value from setting where name = 'self'")
    const self = decodeCbor(asBytes(row?.['value']))
    if (!Array.isArray(self)) throw new TypeError('no device in this store')
    const [, , , , credential, publicKey, secretKey] = self
    const identity = { credential: asBytes(credential), signature: { publicKey: asBytes(publicKey), secretKey: asBytes(secretKey) } }
    const unable = () => Promise.reject(new Error('the account key is in the vault'))
    return new Ghost({ account: insider.account, device: insider.device, identity, accountKey: new Uint8Array(), sign: unable })
  }

  /** A key package, `age` days after it was made for 27. */
  keyPackage({ age = 0n, suite }: { age?: bigint; suite?: number } = {}): Promise<KeyPackagePair> {
    const made = nowInSeconds() - age * DAY
    const request = { identity: this.identity, notBefore: made - 3600n, notAfter: made + 27n * DAY, lastResort: false }
    return suite === undefined
      ? engine.createKeyPackage(request)
      : createMlsEngine({ suite }).then((other) => other.createKeyPackage(request))
  }

  /** A list of devices that has the ghost in it, signed as well as the ghost can. */
  deviceList({ version, previous, others }: { version: number; previous: Uint8Array; others: readonly Uint8Array[] }): Promise<Uint8Array> {
    const certificates = [...others, this.identity.credential]
    return signDeviceList({ version, account: this.account, accountKey: this.accountKey, previous, certificates }, this.#sign)
  }

  /** Comes by external commit through the door of somebody's conversation. */
  async comesIn(host: Victim, { conversation, url }: { conversation: ConversationId; url: string }): Promise<Uint8Array> {
    const { groupInfo, ratchetTree } = await doorOf(host, { conversation, url })
    const joined = await engine.joinExternal({ groupInfo, ratchetTree, identity: this.identity, ...everything })
    this.#groups.push(joined.next)
    return joined.commit
  }

  /** A group of its own under the conversation's id, ahead of its epoch, into which it invites others. */
  async lures(
    conversation: ConversationId,
    { epoch, policy, guests }: { epoch: number; policy: Uint8Array; guests: readonly Uint8Array[] },
  ): Promise<{ readonly welcome: Uint8Array; readonly ratchetTree: Uint8Array; readonly commit: Uint8Array; readonly epoch: number }> {
    const groupId = fromBase64Url(conversation) ?? new Uint8Array()
    let { group } = await carrying.createGroup({ groupId, identity: this.identity, policy })
    while (group.epoch < BigInt(epoch)) ({ next: group } = await carrying.commit(group, everything))
    const { next, welcomes, groupInfo, commit } = await carrying.commit(group, { add: guests, ...everything })
    this.#groups.push(next)
    return { welcome: welcomes[0]?.bytes ?? new Uint8Array(), ratchetTree: treeIn(groupInfo), commit, epoch: Number(next.epoch) }
  }

  /** Takes a Welcome that was made for one of its key packages. */
  async takes(welcome: Uint8Array, keyPackage: KeyPackagePair, ratchetTree: Uint8Array): Promise<void> {
    const { group } = await engine.join({ welcome, ratchetTree, keyPackage, identity: this.identity, ...everything, now: nowInSeconds() })
    this.#groups.push(group)
  }

  /** Whether any of these gives itself away to it. */
  async reads(entries: readonly Pick<Entry, 'bytes'>[]): Promise<boolean> {
    for (const group of this.#groups) {
      for (const { bytes } of entries) {
        const opened = await engine.open(group, bytes, { ...everything, now: nowInSeconds() }).catch(() => undefined)
        if (opened?.kind === 'message') return true
      }
    }
    return false
  }
}

/** GroupInfo and tree of a conversation, as the server has them. */
export async function doorOf(host: Victim, { conversation, url }: { conversation: ConversationId; url: string }) {
  const base = `${url}/v1/conversations/${conversation}`
  const info = await host.as(() => host.weather.ask(`${base}/group-info`))
  const epoch = Number(fieldOf(info, 'epoch'))
  const tree = await host.as(() => host.weather.ask(`${base}/tree?epoch=${epoch}`))
  return { epoch, groupInfo: bytesIn(info, 'groupInfo'), ratchetTree: bytesIn(tree, 'ratchetTree') }
}

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

export const bytesIn = (value: unknown, name: string): Uint8Array => {
  const text = fieldOf(value, name)
  return (typeof text === 'string' ? fromBase64Url(text) : undefined) ?? new Uint8Array()
}

function treeIn(groupInfo: Uint8Array): Uint8Array {
  const tree = findExtension(readMessage(groupInfo, 'group_info').groupInfo.extensions, EXTENSION.ratchetTree)
  if (!tree) throw new Error('a GroupInfo without a tree')
  return tree
}

function asBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('no bytes')
  return value
}
