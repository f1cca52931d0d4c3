/** What stands for `node.ts` in a browser's bundle: nothing. Which of the two is `#node` says package.json. */
import type * as node from './node.ts'

export const nodeHash: typeof node.nodeHash = () => undefined
export const nodeKeccak: typeof node.nodeKeccak = () => undefined
export const nodeAes: typeof node.nodeAes = () => undefined
export const nodeEd25519: typeof node.nodeEd25519 = () => undefined
export const nodeX25519: typeof node.nodeX25519 = () => undefined
export const nodeMlKem: typeof node.nodeMlKem = () => undefined
