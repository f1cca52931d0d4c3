/**
 * Whose a row is, for every table: by what it can be found that concerns a person. Keyed by the schema's own names, so that a
 * new table without an answer does not compile.
 */
import type { Tables } from '../storage/tables.ts'

export type Whose =
  /** The column holds an account id, a device of the account, a session of it, a conversation that it is or was in, or its label in the log. */
  | { readonly by: 'account' | 'device' | 'session' | 'conversation' | 'label'; readonly column: string }
  | { readonly by: 'nobody'; readonly why: string }

export const whose: { readonly [T in keyof Tables]: Whose } = {
  account: { by: 'account', column: 'id' },
  password_credential: { by: 'account', column: 'account' },
  passkey_credential: { by: 'account', column: 'account' },
  session: { by: 'account', column: 'account' },
  spent_refresh_token: { by: 'session', column: 'session' },
  challenge: { by: 'account', column: 'account' },
  security_event: { by: 'account', column: 'account' },
  vault: { by: 'account', column: 'account' },
  vault_part: { by: 'account', column: 'account' },
  vault_unlock: { by: 'account', column: 'account' },
  link: { by: 'account', column: 'account' },
  archive: { by: 'account', column: 'account' },
  archive_segment: { by: 'account', column: 'account' },
  kit_credential: { by: 'account', column: 'account' },
  replaced_kit: { by: 'account', column: 'account' },
  recovery_code: { by: 'account', column: 'account' },
  device_list: { by: 'account', column: 'account' },
  device: { by: 'account', column: 'account' },
  key_package: { by: 'account', column: 'account' },
  conversation: { by: 'conversation', column: 'id' },
  group_info: { by: 'conversation', column: 'conversation' },
  tree_node: { by: 'conversation', column: 'conversation' },
  waiting_proposal: { by: 'conversation', column: 'conversation' },
  log: { by: 'conversation', column: 'conversation' },
  membership: { by: 'account', column: 'account' },
  past_membership: { by: 'account', column: 'account' },
  entry: { by: 'conversation', column: 'conversation' },
  welcome: { by: 'device', column: 'device' },
  kept_signal: { by: 'device', column: 'device' },
  transparency_log: { by: 'nobody', why: 'public, about no person' },
  transparency_entry: { by: 'nobody', why: 'public, a hash among hashes; the newest of each account is in transparency_place' },
  transparency_node: { by: 'nobody', why: 'public, about no person' },
  transparency_place: { by: 'label', column: 'label' },
  written_notice: { by: 'nobody', why: 'doorbells between servers, for minutes' },
  server_secret: { by: 'nobody', why: "the servers' own" },
}
