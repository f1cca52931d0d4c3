/** The migrations in their order. A new one gets the next number and is never changed after a release. */
import type { Migrations } from '../migrate.ts'
import { identity } from './0001-identity.ts'
import { conversations } from './0002-conversations.ts'
import { groupTrees } from './0003-group-trees.ts'
import { transparency } from './0004-transparency.ts'
import { severalServers } from './0005-several-servers.ts'
import { vaultParts } from './0006-vault-parts.ts'
import { linking } from './0007-linking.ts'
import { archive } from './0008-archive.ts'
import { unlocks } from './0009-unlocks.ts'
import { securityEvents } from './0010-security-events.ts'
import { pastMemberships } from './0011-past-memberships.ts'
import { lastEntry } from './0012-last-entry.ts'
import { countersCompared } from './0013-counters-compared.ts'
import { entriesPlacedLater } from './0014-entries-placed-later.ts'

export const migrations: Migrations = {
  '0001-identity': identity,
  '0002-conversations': conversations,
  '0003-group-trees': groupTrees,
  '0004-transparency': transparency,
  '0005-several-servers': severalServers,
  '0006-vault-parts': vaultParts,
  '0007-linking': linking,
  '0008-archive': archive,
  '0009-unlocks': unlocks,
  '0010-security-events': securityEvents,
  '0011-past-memberships': pastMemberships,
  '0012-last-entry': lastEntry,
  '0013-counters-compared': countersCompared,
  '0014-entries-placed-later': entriesPlacedLater,
}
