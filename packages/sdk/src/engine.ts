/** The MLS engine that every device of this version speaks: all of them must choose the same ciphersuite. The server keeps the trees. */
import { createMlsEngine, type MlsEngine } from '@tacit/mls'

export const openEngine = (): Promise<MlsEngine> => createMlsEngine({ treeInWelcome: false })
