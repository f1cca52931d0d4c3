/**
 * What verifying commits costs the server: `npm run bench:commits [sizes]`. The steps of the server's verify-commit.ts on real
 * groups of the hybrid suite, from the bytes on; a figure is processor time of the whole process, the median of several.
 * Without the transaction, which writes as many rows as the table says. Prints a table and writes bench/results/commits.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  AccountId,
  Certificates,
  DeviceId,
  encodePolicy,
  equalBytes,
  isFairChange,
  limits,
  signDeviceCertificate,
  toBase64Url,
} from '@tacit/contract'
import { createMlsEngine, type Group, type LeafIdentity, type PendingCommit } from '@tacit/mls'
import {
  afterCommit,
  changedNodes,
  expectCommitOfProfile,
  judgedCommit,
  membersOf,
  policyOf,
  readGroupInfo,
  readMessage,
  resumeGroup,
  treeOfNodes,
  verifyPublishedInfo,
  welcomesOf,
  type PublicGroup,
} from '@tacit/mls/public'

const TIMES = 9

interface Person {
  readonly account: AccountId
  readonly identity: LeafIdentity
}

interface Row {
  readonly members: number
  /** Milliseconds: one commit that adds everybody, then one add, one update of a founder's keys in that cold tree, one removal. */
  readonly addAll: number
  readonly add: number
  readonly update: number
  readonly remove: number
  /** What an update takes longer when the tree comes from its rows first. */
  readonly resume: number
  readonly updateBytes: number
  readonly updateRows: number
}

const sizes = (process.argv[2] ?? '2,100,1000').split(',').map(Number)
const engine = await createMlsEngine({ treeInWelcome: false })
const certificates = new Certificates({ most: 10_000 })
const court = { certificates, isWithdrawn: () => Promise.resolve(false) }
const yes = (): Promise<boolean> => Promise.resolve(true)

await main()

async function main(): Promise<void> {
  const rows: Row[] = []
  for (const members of sizes) rows.push(await measure(members))
  console.table(rows)
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`
  mkdirSync('bench/results', { recursive: true })
  writeFileSync('bench/results/commits.json', `${JSON.stringify({ machine, node: process.version, rows }, undefined, 2)}\n`)
}

async function measure(members: number): Promise<Row> {
  const [founder, ...others] = await Promise.all(Array.from({ length: members }, newPerson))
  if (!founder) throw new TypeError('a group has a founder')
  const groupId = crypto.getRandomValues(new Uint8Array(16))
  const policy = encodePolicy({ kind: 'group', admins: [founder.account] })
  const founded = await engine.createGroup({ groupId, identity: founder.identity, policy })
  const followed = await readGroupInfo(readMessage(founded.groupInfo, 'group_info').groupInfo, leafPolicy(), founded.ratchetTree)
  const filled = await step({ own: founded.group, followed }, { add: await Promise.all(others.map(keyPackageOf)) })
  const samples: { add: number[]; update: number[]; remove: number[]; resume: number[] } = { add: [], update: [], remove: [], resume: [] }
  let [at, updateBytes, updateRows] = [filled.at, 0, 0]
  for (let time = 0; time < TIMES; time++) {
    const added = await step(at, { add: [await keyPackageOf(await newPerson())] })
    const updated = await step(added.at, {})
    const removed = await step(updated.at, { remove: [members] })
    samples.add.push(added.milliseconds)
    samples.update.push(updated.milliseconds)
    samples.remove.push(removed.milliseconds)
    samples.resume.push(await timeToResume(removed))
    ;[at, updateBytes, updateRows] = [removed.at, updated.bytes, updated.rows]
  }
  const { add, update, remove, resume } = samples
  const timed = { add: median(add), update: median(update), remove: median(remove), resume: median(resume) }
  return { members, addAll: round(filled.milliseconds), ...timed, updateBytes, updateRows }
}

/** The founder's side and the server's. */
interface At {
  readonly own: Group
  readonly followed: PublicGroup
}

interface Stepped {
  readonly at: At
  readonly made: PendingCommit
  readonly milliseconds: number
  readonly bytes: number
  readonly rows: number
}

async function step({ own, followed }: At, request: { add?: readonly Uint8Array[]; remove?: readonly number[] }): Promise<Stepped> {
  const made = await engine.commit(own, { ...request, authenticate: yes })
  const before = process.cpuUsage()
  const { next, rows } = await verify(followed, made)
  return { at: { own: made.next, followed: next }, made, milliseconds: since(before), bytes: made.commit.length, rows }
}

/** As the server does it. */
async function verify(group: PublicGroup, made: PendingCommit): Promise<{ next: PublicGroup; rows: number }> {
  const { message } = readMessage(made.commit, 'public')
  const { group: next, staged } = await afterCommit(group, message, leafPolicy())
  expectCommitOfProfile(staged)
  const before = { members: membersOf(group.tree), policy: policyOf(group.context.extensions) }
  if (!(await isFairChange(court, { ...judgedCommit(group, staged), group: before }))) throw new Error('the rules forbid it')
  const nodes = changedNodes(group.tree, next.tree)
  await verifyPublishedInfo(group.suite, made.groupInfo, staged)
  await welcomesOf(group.suite, made.welcomes[0]?.bytes, staged)
  return { next, rows: nodes.length }
}

async function timeToResume({ at, made }: Stepped): Promise<number> {
  const rows = changedNodes(undefined, at.followed.tree).flatMap(({ node, bytes }) => (bytes ? [{ node, bytes }] : []))
  const before = process.cpuUsage()
  resumeGroup(readMessage(made.groupInfo, 'group_info').groupInfo, treeOfNodes(rows))
  return since(before)
}

function leafPolicy() {
  return {
    authenticate: async (leaf: { readonly credential: Uint8Array; readonly signatureKey: Uint8Array }) => {
      const certificate = await certificates.read(leaf.credential)
      return certificate !== undefined && equalBytes(certificate.signatureKey, leaf.signatureKey)
    },
    now: BigInt(Math.floor(Date.now() / 1000)),
    maxLifetime: BigInt(limits.keyPackageLifetime),
    isSameClient: () => true,
  }
}

async function newPerson(): Promise<Person> {
  const account = AccountId.parse(newId())
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new TypeError('expected a key pair')
  const accountKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const signature = await engine.generateSignaturePair()
  const notAfter = Math.floor(Date.now() / 1000) + 365 * 86_400
  const certificate = { account, accountKey, device: DeviceId.parse(newId()), signatureKey: signature.publicKey, notAfter }
  const sign = async (message: Uint8Array) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(message)))
  return { account, identity: { credential: await signDeviceCertificate(certificate, sign), signature } }
}

async function keyPackageOf({ identity }: Person): Promise<Uint8Array> {
  const now = BigInt(Math.floor(Date.now() / 1000))
  return (await engine.createKeyPackage({ identity, notBefore: now - 60n, notAfter: now + 86_400n, lastResort: false })).keyPackage
}

function newId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
}

/** Milliseconds of processor time. */
function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function median(values: readonly number[]): number {
  return round(values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
