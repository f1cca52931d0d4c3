/** Small tools for tests that damage bytes, and the pair of seats that most of them start from. */
import type { Bytes, MlsEngine } from '../port.ts'
import { World } from './world.ts'
import type { Seat } from './world.ts'

/** One bit (or more, by `mask`) of one byte turned over. */
export const flipped = (bytes: Bytes, at: number, mask = 0x01): Bytes => bytes.with(at, (bytes[at] ?? 0) ^ mask)

/** Up to `count` positions spread over all of it. */
export const positions = (length: number, count: number): number[] => {
  const stride = Math.max(1, Math.ceil(length / count))
  return Array.from({ length: Math.ceil(length / stride) }, (_, index) => index * stride)
}

/** Alice and Bob in one group of a new world. */
export const pair = async (makeEngine: () => Promise<MlsEngine>): Promise<{ world: World; alice: Seat; bob: Seat }> => {
  const world = new World(await makeEngine())
  const [alice, bob] = await world.assemble('Alice', 'Bob')
  if (bob === undefined) throw new Error('Bob was added')
  return { world, alice, bob }
}
