/** Every table of the server, each declared by its room. */
import type { AccountTables } from '../accounts/accounts.tables.ts'
import type { ArchiveTables } from '../archive/archive.tables.ts'
import type { BusTables } from '../bus/bus.tables.ts'
import type { ConversationTables } from '../conversations/conversations.tables.ts'
import type { CredentialTables } from '../credentials/credentials.tables.ts'
import type { DeliveryTables } from '../delivery/delivery.tables.ts'
import type { DeviceTables } from '../devices/devices.tables.ts'
import type { KeyTables } from '../keys/keys.tables.ts'
import type { LinkingTables } from '../linking/linking.tables.ts'
import type { SecretTables } from '../secrets.tables.ts'
import type { SecurityEventTables } from '../security-events/security-events.tables.ts'
import type { SessionTables } from '../sessions/sessions.tables.ts'
import type { SignalTables } from '../signals/signals.tables.ts'
import type { TransparencyTables } from '../transparency/transparency.tables.ts'
import type { UnlockTables } from '../unlocks/unlocks.tables.ts'
import type { VaultTables } from '../vault/vault.tables.ts'

export interface Tables
  extends
    AccountTables,
    CredentialTables,
    SecurityEventTables,
    SessionTables,
    VaultTables,
    ArchiveTables,
    DeviceTables,
    KeyTables,
    LinkingTables,
    ConversationTables,
    DeliveryTables,
    SignalTables,
    TransparencyTables,
    BusTables,
    UnlockTables,
    SecretTables {}
