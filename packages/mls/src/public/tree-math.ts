/**
 * Arithmetic on the array form of a ratchet tree (RFC 9420 appendix C): leaf `i` is node `2i`, a parent's index has as many
 * low one-bits as its level. Trees are full, so `leafCount` is always a power of two.
 */

export const leafToNode = (leafIndex: number): number => 2 * leafIndex
export const isLeafNode = (node: number): boolean => (node & 1) === 0

/** Number of nodes of a full tree. */
export const nodeWidth = (leafCount: number): number => 2 * leafCount - 1

/** So many blank leaves or nodes; `Array.from` takes several times as long. */
export const blanks = (count: number): undefined[] => {
  const list: undefined[] = []
  for (let at = 0; at < count; at++) list.push(undefined)
  return list
}

/** 0 for leaves: how many ones stand below the lowest zero. */
export const levelOf = (node: number): number => 31 - Math.clz32(~node & (node + 1))

export const rootOf = (leafCount: number): number => leafCount - 1

const requireParent = (node: number): number => {
  const level = levelOf(node)
  if (level === 0) throw new RangeError('a leaf has no children')
  return level
}

export const leftOf = (node: number): number => node ^ (1 << (requireParent(node) - 1))
export const rightOf = (node: number): number => node ^ (3 << (requireParent(node) - 1))

/** Meaningless for the root. */
export const parentOf = (node: number): number => {
  const level = levelOf(node)
  return (node | (1 << level)) & ~(1 << (level + 1))
}

export const siblingOf = (node: number): number => {
  const parent = parentOf(node)
  return node < parent ? rightOf(parent) : leftOf(parent)
}

/** From the node's parent up to the root. */
export const directPath = (node: number, leafCount: number): number[] => {
  const path: number[] = []
  for (let at = node, root = rootOf(leafCount); at !== root;) {
    at = parentOf(at)
    path.push(at)
  }
  return path
}

/** True when `node` is `ancestor` or below it. */
export const isUnder = (node: number, ancestor: number): boolean => Math.abs(node - ancestor) < 1 << levelOf(ancestor)

/** The lowest node above both leaves. */
export const commonAncestor = (leafA: number, leafB: number): number => {
  let node = leafToNode(leafA)
  while (!isUnder(leafToNode(leafB), node)) node = parentOf(node)
  return node
}

/** The smallest full tree with at least `leaves` leaves. */
export const fullLeafCount = (leaves: number): number => {
  let count = 1
  while (count < leaves) count *= 2
  return count
}
