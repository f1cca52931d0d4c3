/** Values without memory of the bytes that they were decoded from, so that encoding them again says something. */
import { RatchetTree } from './tree.ts'

/** A deep copy: remembered encodings stay with the original. */
export const afresh = <T>(value: T): T => {
  if (value instanceof RatchetTree) {
    const tree = value.clone()
    for (const [leafIndex, leaf] of value.leaves()) tree.setLeaf(leafIndex, structuredClone(leaf))
    for (const [node, parent] of value.parents()) tree.setParent(node, structuredClone(parent))
    return tree as T
  }
  return structuredClone(value)
}
