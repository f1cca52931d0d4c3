/**
 * The log of device lists at 100,000 accounts: how large a proof is, how long a device takes to verify one, how fast the whole
 * log is audited, and what logging a version costs the server. `npm run bench:transparency [-- accounts]`
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { Auditor, encodeEntry, encodeProof, judgeProof, logTree, prefixTree, readProof, signHead, toBase64Url } from '@tacit/contract'
import { inChromium } from './in-chromium.ts'
import type { ProofGiven } from './transparency-page.ts'

const accounts = Number(process.argv[2] ?? 100_000)
const hashOf = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())
const placed = (number: number) => ({ label: hashOf(`label ${number}`), version: 1, list: hashOf(`list ${number}`) })

const places = new Map<string, prefixTree.PrefixNode>()
const nodes = new Map<string, Uint8Array>()
const entries: Uint8Array[] = []
const node: logTree.NodeHash = ({ level, index }) => nodes.get(`${level}.${index}`) ?? new Uint8Array()

for (let number = 0; number < accounts; number++) {
  const { root: mapRoot } = prefixTree.place(places, placed(number))
  const bytes = encodeEntry({ ...placed(number), mapRoot })
  entries.push(bytes)
  for (const made of logTree.completedBy({ size: number, leaf: logTree.hashLeaf(bytes), node }))
    nodes.set(`${made.level}.${made.index}`, made.hash)
}

const { privateKey } = generateKeyPairSync('ed25519')
const key = new Uint8Array(
  createPublicKey(createPrivateKey({ key: privateKey.export({ format: 'pem', type: 'pkcs8' }) }))
    .export({ format: 'der', type: 'spki' })
    .subarray(-32),
)
const rootAt = (size: number): Uint8Array => logTree.hashRange({ from: 0, to: size }, node)
const path = (ranges: readonly logTree.Range[]): Uint8Array[] => ranges.map((range) => logTree.hashRange(range, node))
const head = await signHead(
  { key, size: accounts, root: rootAt(accounts), time: 0 },
  async (message) => new Uint8Array(sign(null, message, privateKey)),
)

const sizes: number[] = []
const given: ProofGiven[] = []
const times: number[] = []
for (let round = 0; round < 2000; round++) {
  const asked = placed((round * 7919) % accounts)
  const after = 1 + ((round * 104_729) % (accounts - 1))
  const bytes = encodeProof({
    head,
    consistency: path(logTree.consistencyPath(after, accounts)),
    entry: entries[accounts - 1] ?? new Uint8Array(),
    entryPath: path(logTree.inclusionPath(accounts - 1, accounts)),
    mapPath: prefixTree.find(places, asked.label)?.path ?? [],
  })
  const known = { key, size: after, root: rootAt(after) }
  const began = performance.now()
  const proof = readProof(bytes)
  const verdict = proof && (await judgeProof({ proof, placed: asked, known }))
  times.push(performance.now() - began)
  if (verdict?.kind !== 'proved') throw new Error(`not proved: ${verdict?.kind}`)
  sizes.push(bytes.length)
  given.push({
    proof: toBase64Url(bytes),
    placed: { ...asked, label: toBase64Url(asked.label), list: toBase64Url(asked.list) },
    known: { ...known, key: toBase64Url(key), root: toBase64Url(known.root) },
  })
}
const inBrowser = await inChromium<number[]>({ entry: 'bench/transparency-page.ts', name: 'benchProofs', given })

const audits: number[] = []
for (let round = 0; round < 3; round++) {
  const auditor = new Auditor()
  const began = process.cpuUsage()
  for (const entry of entries) if (auditor.add(entry)) throw new Error('not sound')
  const { user, system } = process.cpuUsage(began)
  audits.push((accounts / (user + system)) * 1e6)
}

print(`accounts ${accounts}`)
print(`proof, bytes                     ${spread(sizes, 0)}   goal 2048`)
print(`verify in Node, ms               ${spread(times, 2)}   goal 5`)
print(`verify in Chromium, ms           ${inBrowser ? spread(inBrowser, 2) : 'no Chromium was found'}   goal 5`)
print(`audit, entries per CPU second    ${spread(audits, 0)}   goal 10000`)

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (part: number): string => (sorted[Math.round((sorted.length - 1) * part)] ?? 0).toFixed(digits)
  return `min ${at(0)}  median ${at(0.5)}  max ${at(1)}`
}

function print(line: string): void {
  console.log(line)
}
