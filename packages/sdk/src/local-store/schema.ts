/**
 * The device's tables and how a database of an older version becomes one of this version. Migrations are numbered by their
 * place, only ever appended, each in one transaction with its number: killed midway, it simply happens again.
 */
import type { StoreDriver } from './driver.ts'
import { MessengerError } from '../api.ts'

const first = `
-- Who this device is and what it needs to go on; values in CBOR, by name.
create table setting (name text primary key, value blob not null) without rowid;

-- People whose account key is pinned, with the newest device list that this device has verified.
create table person (
  account text primary key,
  handle text not null,
  account_key blob not null,
  list_version integer not null,
  list_hash blob not null,
  list blob not null,
  conflict integer not null default 0
) without rowid;

-- Private parts of published key packages; a one-time row goes in the transaction that stores the group it opened.
create table key_package (
  ref blob primary key,
  bytes blob not null,
  secret blob not null,
  last_resort integer not null,
  published integer not null default 0,
  made_at integer not null
) without rowid;

create table conversation (
  conversation text primary key,
  kind text not null,
  standing text not null,
  stuck integer not null,
  title text not null,
  title_owed integer not null,
  peer text,
  epoch integer not null,
  cursor integer not null,
  transcript blob not null,
  begins integer not null,
  client_seq integer not null,
  read_seq integer not null,
  healed integer not null,
  activity integer not null
) without rowid;

-- The MLS group: one snapshot per epoch (slot ''), and small rows by slot that change within it.
create table group_state (
  conversation text not null,
  slot text not null,
  bytes blob not null,
  primary key (conversation, slot)
) without rowid;

create table member (
  conversation text not null,
  device text not null,
  account text not null,
  leaf integer not null,
  admin integer not null,
  primary key (conversation, device)
) without rowid;

-- Transcript hash after each of the newest entries; what others say they saw is compared with it.
create table transcript (
  conversation text not null,
  seq integer not null,
  hash blob not null,
  primary key (conversation, seq)
) without rowid;

-- The newest counter of each sending device.
create table counter (
  conversation text not null,
  device text not null,
  client_seq integer not null,
  primary key (conversation, device)
) without rowid;

-- What a timeline shows of the log: messages, notices, and what could not be read.
create table item (
  conversation text not null,
  seq integer not null,
  part integer not null,
  kind text not null,
  message text,
  account text,
  mine integer not null default 0,
  text text,
  detail text,
  time integer not null,
  primary key (conversation, seq, part)
) without rowid;
create unique index item_by_message on item (conversation, message) where message is not null;

-- Messages that are not in the log yet, in the order they were written.
create table outbox (
  position integer primary key autoincrement,
  message text not null unique,
  conversation text not null,
  kind text not null,
  text text not null,
  time integer not null,
  failed text
);
create index outbox_by_conversation on outbox (conversation, position);

-- What is sealed and not yet seen in the log: one thing per conversation, sent again byte for byte until it is decided.
create table sealed (
  conversation text primary key,
  kind text not null,
  client_seq integer not null,
  epoch integer not null,
  hash blob not null,
  bytes blob not null,
  message text,
  intent integer,
  snapshot blob,
  baggage blob
) without rowid;

-- Hashes of earlier seals of the same counter: one of them in the log is an own entry, too.
create table attempt (
  conversation text not null,
  hash blob not null,
  message text,
  primary key (conversation, hash)
) without rowid;

-- Changes that this device wants; kept until they are true, whatever commit it takes.
create table intent (
  position integer primary key autoincrement,
  conversation text not null,
  kind text not null,
  detail blob not null
);
create index intent_by_conversation on intent (conversation, position);

-- How far each device of the others has stored and its person has read.
create table receipt (
  conversation text not null,
  device text not null,
  account text not null,
  delivered integer not null,
  read integer not null,
  primary key (conversation, device)
) without rowid;

-- Keys of the signals of recent epochs.
create table signal_key (
  conversation text not null,
  epoch integer not null,
  key blob not null,
  primary key (conversation, epoch)
) without rowid;
`

/** Entries in a sender's name that did not open: each may have used one of its counters, and none of them proves it. */
const unopened = 'alter table counter add column unopened integer not null default 0;'

/** What this device could not process and has to say so, and who said so of the others and is not back yet. */
const nacks = `
create table nack_owed (
  conversation text primary key,
  seq integer not null,
  hash blob not null
) without rowid;

create table stranded (
  conversation text not null,
  device text not null,
  account text not null,
  primary key (conversation, device)
) without rowid;
`

/** What the rules of rotation.ts remember; `healed` is when the own keys were made. */
const rotation = `
alter table conversation add column healing integer not null default 0;
alter table conversation add column exchanged integer not null default 0;
alter table conversation add column heard integer not null default 0;
alter table conversation add column front_from integer not null default 0;
alter table conversation add column turn_from integer not null default 0;
`

/** The server's log of device lists, as this device knows it (transparency/key-log.store.ts). */
const keyLog = `
create table key_log (id integer primary key, key blob not null, size integer not null, root blob not null, head blob not null);

-- Heads that came in messages and are not compared yet.
create table heard_head (
  position integer primary key autoincrement,
  conversation text not null,
  account text not null,
  head blob not null
);

-- How long the log was that this device last told a conversation of, and with which of its messages.
create table told_head (conversation text primary key, size integer not null, client_seq integer not null) without rowid;

create table key_log_evidence (
  position integer primary key autoincrement,
  kind text not null,
  conversation text,
  account text,
  ours blob not null,
  theirs blob not null,
  time integer not null
);
`

/** For a server that lost the end of a log (rollback/step-back.ts). */
const rollback = `
-- The hash of the entry itself, beside the transcript hash after it.
alter table transcript add column entry blob;

-- Own entries in the log as they were sent, to be sent again.
create table offered (
  conversation text not null,
  client_seq integer not null,
  seq integer not null,
  kind text not null,
  epoch integer not null,
  hash blob not null,
  bytes blob not null,
  message text,
  baggage blob,
  primary key (conversation, client_seq)
) without rowid;

-- Entries that this device has taken and the server has not, by their hash.
create table lost_entry (
  conversation text not null,
  hash blob not null,
  message text,
  primary key (conversation, hash)
) without rowid;

create table rollback (conversation text primary key, since integer not null) without rowid;
`

/** The account key that the person has compared by another way; it says nothing about any other key. */
const compared = 'alter table person add column compared_key blob;'

/** Of the slot and its bytes (checksum.ts); null for rows of before. */
const checksums = 'alter table group_state add column checksum integer;'

/** The newest version of each part of the vault that was seen: the server cannot present an older one unnoticed. */
const vault = 'create table vault_part (part text primary key, version integer not null) without rowid;'

/** The archive, as this device knows it (archive/archive.store.ts). */
const archive = `
-- The segment of the archive that has it; null: none that is known; 0: it will never be in one.
alter table item add column segment integer;
-- It came from the archive or a file, and has not been met in the log.
alter table item add column restored integer not null default 0;
-- When it is to be gone, in milliseconds.
alter table item add column expires integer;
create index item_to_archive on item (time) where segment is null and kind in ('message', 'notice');

create table archive_read (number integer primary key);

-- Messages that the person deleted for themselves; told: the archive says so, in this segment.
create table forgotten (
  conversation text not null,
  message text not null,
  seq integer not null,
  time integer not null,
  segment integer not null,
  told integer not null,
  primary key (conversation, message)
) without rowid;

-- Handles of people in old messages.
create table archived_person (account text primary key, handle text not null) without rowid;
`

/** Account keys that a reset took out of use. */
const formerKeys = 'create table former_key (account text not null, key blob not null, primary key (account, key)) without rowid;'

/** What own devices have in common (vault/values.store.ts), and people as their owner sees them, made from it. */
const shared = `
create table vault_value (
  part text not null,
  name text not null,
  value blob,
  counter integer not null,
  device text not null,
  day integer not null,
  dirty integer not null,
  primary key (part, name)
) without rowid;

create table contact (account text primary key, nickname text, blocked integer, compared_key blob) without rowid;
`

/** People who have a name here and whom this device has not met. */
const contactHandles = 'alter table contact add column handle text;'

/** When it was asked for, and for how long this device was connected since (removals.ts), both in milliseconds. */
const waitingIntents = `
alter table intent add column asked integer not null default 0;
alter table intent add column waited integer not null default 0;
update intent set asked = 1000 * cast(strftime('%s', 'now') as integer);
`

/** For a server that was restored from a backup and knows device lists no more. */
const listsAgain = `
-- Heads of the log of device lists that were verified: how far back a shorter log is still the same one.
create table key_log_past (size integer primary key, root blob not null);
insert into key_log_past select size, root from key_log;
-- When the log was found to have gone back.
create table key_log_back (time integer not null);
-- Vault keys that others took the place of, and lists of the own account, each with the server's proof that it had it.
create table former_vault_key (generation integer primary key, key blob not null);
create table own_list (version integer primary key, hash blob not null, list blob not null, proof blob not null);
`

/**
 * Whether the person wants a conversation (requests/admission.ts). What was there before is wanted, and the people too; it is noted in the name
 * of no device, so that whatever a device says of it counts more. x'f5' is true in CBOR.
 */
const admission = `
alter table conversation add column admission text not null default 'asked';
update conversation set admission = 'accepted';
insert or ignore into vault_value (part, name, value, counter, device, day, dirty)
  select 'people', 'talk/' || conversation, x'f5', 1, 'AAAAAAAAAAAAAAAAAAAAAA', 0, 1 from conversation;
insert or ignore into vault_value (part, name, value, counter, device, day, dirty)
  select 'people', 'met/' || peer, x'f5', 1, 'AAAAAAAAAAAAAAAAAAAAAA', 0, 1 from conversation where peer is not null;
`

const migrations: readonly string[] = [
  first,
  unopened,
  nacks,
  rotation,
  keyLog,
  rollback,
  compared,
  checksums,
  vault,
  archive,
  formerKeys,
  shared,
  contactHandles,
  waitingIntents,
  listsAgain,
  admission,
]

/** Brings the database to this version, or the one given. Rejects with `client_too_old` when it is from a newer one, and changes nothing. */
export async function migrate(store: StoreDriver, upTo = migrations.length): Promise<void> {
  const version = await versionOf(store)
  if (version > migrations.length) throw new MessengerError('client_too_old', 'A newer version of this program wrote the local database.')
  for (const [index, sql] of migrations.entries()) {
    if (index < version || index >= upTo) continue
    await store.transaction(async (writer) => {
      if (index === 0) await writer.run('create table schema_version (version integer not null)')
      await writer.run(sql)
      await writer.run('insert into schema_version values (?)', [index + 1])
    })
  }
}

async function versionOf(store: StoreDriver): Promise<number> {
  if (!(await store.get("select name from sqlite_schema where name = 'schema_version'"))) return 0
  return Number((await store.get('select max(version) as version from schema_version'))?.['version'] ?? 0)
}
