/** Verifying proofs in a browser: the page's one script. The driver (`transparency.ts`) hands over proofs that it made. */
import { fromBase64Url, judgeProof, readProof } from '@tacit/contract'

export interface ProofGiven {
  readonly proof: string
  readonly placed: { readonly label: string; readonly version: number; readonly list: string }
  readonly known: { readonly key: string; readonly size: number; readonly root: string }
}

/** Milliseconds of each; rejects when one does not hold. */
async function benchProofs(given: readonly ProofGiven[]): Promise<number[]> {
  const times: number[] = []
  for (const { proof: text, placed, known } of given) {
    const [bytes, label, list, key, root] = [text, placed.label, placed.list, known.key, known.root].map(bytesOf)
    if (!bytes || !label || !list || !key || !root) throw new Error('not given')
    const began = performance.now()
    const proof = readProof(bytes)
    const verdict = proof && (await judgeProof({ proof, placed: { ...placed, label, list }, known: { ...known, key, root } }))
    times.push(performance.now() - began)
    if (verdict?.kind !== 'proved') throw new Error('not proved')
  }
  return times
}

const bytesOf = (text: string) => fromBase64Url(text)

Object.assign(globalThis, { benchProofs })
