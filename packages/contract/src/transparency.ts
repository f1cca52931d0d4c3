/**
 * The public log of device lists: what a device checks when it is given somebody's list, and what anybody can verify whole.
 * The proofs themselves are in the folder of the same name.
 */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { limits } from './limits.ts'
import { LONGEST_HEAD } from './transparency/head.ts'
import { route } from './vocabulary.ts'

export * from './transparency/audit.ts'
export * from './transparency/entry.ts'
export * from './transparency/head.ts'
export { isConsistent, type LogState } from './transparency/log-tree.ts'
export * as logTree from './transparency/log-tree.ts'
export * as prefixTree from './transparency/prefix-tree.ts'
export * from './transparency/proof.ts'

const hash = jsonBytes({ min: 32, max: 32 })
const head = jsonBytes({ max: LONGEST_HEAD })
const size = z.coerce.number().int().min(0)

export const transparency = {
  head: route({
    method: 'GET',
    path: '/v1/transparency/head',
    access: 'anyone',
    summary: 'The newest signed head of the log of device lists',
    result: z.object({ head }),
    status: 200,
    failures: [],
  }),
  prove: route({
    method: 'GET',
    path: '/v1/transparency/places/:label',
    access: 'device',
    summary: 'What the log holds for an account now, with the proof that it continues the log as the asker knows it',
    /** 32 bytes, base64url. */
    params: z.object({ label: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }),
    query: z.strictObject({ after: size.default(0) }),
    result: z.object({ proof: jsonBytes({ max: limits.transparencyProof }) }),
    status: 200,
    failures: [],
  }),
  consistency: route({
    method: 'GET',
    path: '/v1/transparency/consistency',
    access: 'anyone',
    summary: 'That the log of one size begins with the log of another (RFC 9162 section 2.1.4)',
    query: z.strictObject({ earlier: size, later: size }),
    result: z.object({ path: z.array(hash).max(64) }),
    status: 200,
    failures: [],
  }),
  entries: route({
    method: 'GET',
    path: '/v1/transparency/entries',
    access: 'anyone',
    summary: 'The log itself, in order, for whoever verifies it whole',
    query: z.strictObject({ from: size.default(0), limit: z.coerce.number().int().min(1).max(limits.transparencyPage).default(1000) }),
    result: z.object({ entries: z.array(jsonBytes({ max: 128 })).max(limits.transparencyPage), head }),
    status: 200,
    failures: [],
  }),
}
