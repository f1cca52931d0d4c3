/**
 * The face without secrets: what a delivery service may import. Codecs, framing, and (for those who keep a roster) the
 * public group.
 */
export { readFramingHeader } from './framing.ts'
export type { ContentType, FramingHeader, Sender } from './framing.ts'
export { MlsError } from '../errors.ts'
export type { MlsErrorCause } from '../errors.ts'
