/** A Tacit device for any JavaScript runtime: bring a store and an MLS engine, get a messenger. */
export * from './api.ts'
export { historyPage, type HistoryPageWords } from './archive/history-page.ts'
export { openEngine } from './engine.ts'
export { openMessenger, type MessengerOptions } from './messenger.ts'
export { auditServer, type AuditOptions, type AuditReport } from './transparency/audit-server.ts'
export { passkeySalt } from './vault/unlock.ts'
export type { Reader, Row, SqlValue, StoreDriver, Writer } from './local-store/driver.ts'
export { StoreError, type StoreTrouble } from './local-store/failure.ts'
export {
  platformClock,
  platformNetwork,
  platformRandom,
  type Clock,
  type Network,
  type OpenSocket,
  type Random,
  type SocketListener,
} from './surroundings.ts'
export {
  AccountId,
  ConversationId,
  ConversationKind,
  DeviceId,
  failures,
  Handle,
  limits,
  MessageId,
  SessionId,
  UnlockId,
  type FailureName,
  type WebAuthnJson,
} from '@tacit/contract'
