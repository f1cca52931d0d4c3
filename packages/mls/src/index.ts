/**
 * Messaging Layer Security (RFC 9420) behind a narrow port: pure functions on immutable values, no storage, no network, no
 * clock. Make an engine, then call it; every failure is an `MlsError`.
 */
export type * from './port.ts'
export { MlsError } from './errors.ts'
export type { MlsErrorCause } from './errors.ts'
export { boxPairFrom, newBoxPair, openBox, sealBox } from './crypto/sealed-box.ts'
export type { BoxPair } from './crypto/sealed-box.ts'
export { createMlsEngine } from './group/engine.ts'
export type { MlsEngineOptions } from './group/engine.ts'
