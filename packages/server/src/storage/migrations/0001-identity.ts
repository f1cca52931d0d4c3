/** Accounts, credentials, sessions, vaults, devices and key packages. */
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const identity: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await accounts(db)
    await sessions(db)
    await vaults(db)
    await devices(db)
    await keyPackages(db)
  },
}

async function accounts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('account')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('handle', 'text', (column) => column.notNull())
    .addColumn('handle_folded', 'text', (column) => column.notNull().unique())
    .addColumn('handle_skeleton', 'text', (column) => column.notNull().unique())
    .addColumn('shares_presence', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('password_credential')
    .addColumn('account', 'text', (column) => column.primaryKey().references('account.id').onDelete('cascade'))
    .addColumn('record', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('passkey_credential')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addColumn('public_key', 'blob', (column) => column.notNull())
    .addColumn('counter', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('passkey_credential_account').on('passkey_credential').column('account').execute()
}

async function sessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('session')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addColumn('device', 'text')
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('access_hash', 'blob', (column) => column.notNull().unique())
    .addColumn('access_expires_at', 'bigint', (column) => column.notNull())
    .addColumn('refresh_hash', 'blob', (column) => column.notNull().unique())
    .addColumn('refresh_expires_at', 'bigint', (column) => column.notNull())
    .addColumn('used', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('session_account').on('session').column('account').execute()
  await db.schema.createIndex('session_device').on('session').column('device').execute()
  await db.schema.createIndex('session_refresh_expires_at').on('session').column('refresh_expires_at').execute()
  await db.schema
    .createTable('spent_refresh_token')
    .addColumn('hash', 'blob', (column) => column.primaryKey())
    .addColumn('session', 'text', (column) => column.notNull().references('session.id').onDelete('cascade'))
    .addColumn('spent_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('spent_refresh_token_session').on('spent_refresh_token').column('session').execute()
  await db.schema.createIndex('spent_refresh_token_spent_at').on('spent_refresh_token').column('spent_at').execute()
  await db.schema
    .createTable('challenge')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('account', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('challenge_expires_at').on('challenge').column('expires_at').execute()
}

async function vaults(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('vault')
    .addColumn('account', 'text', (column) => column.primaryKey().references('account.id').onDelete('cascade'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('vault_unlock')
    .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('wrapped_key', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('vault_unlock_key', ['account', 'kind'])
    .execute()
}

async function devices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('device_list')
    .addColumn('account', 'text', (column) => column.primaryKey().references('account.id').onDelete('cascade'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('account_key', 'blob', (column) => column.notNull())
    .addColumn('hash', 'blob', (column) => column.notNull())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('device')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addColumn('signature_key', 'blob', (column) => column.notNull())
    .addColumn('added_at', 'bigint', (column) => column.notNull())
    .addColumn('removed_at', 'bigint')
    .execute()
  await db.schema.createIndex('device_account').on('device').column('account').execute()
}

async function keyPackages(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('key_package')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addColumn('device', 'text', (column) => column.notNull().references('device.id').onDelete('cascade'))
    .addColumn('last_resort', 'integer', (column) => column.notNull())
    .addColumn('hash', 'blob', (column) => column.notNull().unique())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('key_package_device').on('key_package').columns(['account', 'device', 'last_resort', 'id']).execute()
  await db.schema
    .createIndex('key_package_one_last_resort')
    .on('key_package')
    .column('device')
    .unique()
    .where(sql.ref('last_resort'), '=', sql.lit(1))
    .execute()
}
