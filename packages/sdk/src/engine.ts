/** The MLS engine that every device of this version speaks: all of them must choose the same ciphersuite. */
import { createMlsEngine, type MlsEngine } from '@tacit/mls'

export const openEngine = (): Promise<MlsEngine> => createMlsEngine()
