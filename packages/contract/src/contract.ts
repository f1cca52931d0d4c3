/** Every route, command and event, in one table each. Everything else is derived from these. */
import { accounts } from './accounts.ts'
import { archive, archiveEvents } from './archive.ts'
import { connectionCommands, connectionEvents } from './connection.ts'
import { conversationCommands, conversationEvents, conversations } from './conversations.ts'
import { delivery, deliveryCommands, deliveryEvents } from './delivery.ts'
import { deviceEvents, devices } from './devices.ts'
import { disclosure } from './disclosure.ts'
import { keyEvents, keys } from './keys.ts'
import { linking } from './linking.ts'
import { securityEvents } from './security-events.ts'
import { sessions } from './sessions.ts'
import { signalCommands, signalEvents } from './signals.ts'
import { system } from './system.ts'
import { transparency } from './transparency.ts'
import { turnCommands, turnEvents } from './turns.ts'
import { unlocks } from './unlocks.ts'
import { vault, vaultEvents } from './vault.ts'

export const routes = {
  system,
  accounts,
  sessions,
  unlocks,
  vault,
  archive,
  devices,
  keys,
  conversations,
  delivery,
  transparency,
  disclosure,
  linking,
  securityEvents,
} as const

export const commands = {
  connection: connectionCommands,
  conversations: conversationCommands,
  delivery: deliveryCommands,
  signals: signalCommands,
  turns: turnCommands,
} as const

export const events = {
  archive: archiveEvents,
  connection: connectionEvents,
  conversations: conversationEvents,
  delivery: deliveryEvents,
  devices: deviceEvents,
  keys: keyEvents,
  signals: signalEvents,
  turns: turnEvents,
  vault: vaultEvents,
} as const

export type Routes = typeof routes
export type Commands = typeof commands
export type Events = typeof events
