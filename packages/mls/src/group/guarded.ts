/** The door through which every call of this package goes. */
import { MlsError } from '../errors.ts'

/** No failure of a platform or a library leaves untyped: what is none of ours was provoked by bad input. */
export const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof MlsError) throw cause
    throw new MlsError('invalid', 'input refused by a primitive', { cause })
  }
}
