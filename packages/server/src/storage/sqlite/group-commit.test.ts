import { Refusal } from '@tacit/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqlite, type SqliteDatabase } from './sqlite-database.ts'
import { createGroupCommit, type Work } from './group-commit.ts'

let database: SqliteDatabase

beforeEach(async () => {
  database = await openSqlite({ path: ':memory:' })
})
afterEach(() => database.close())

const begin =
  (id: string): Work<void> =>
  ({ sqlite }) =>
    void sqlite.prepare('INSERT INTO log (conversation, epoch, head) VALUES (?, 0, 0)').run(id)

const stored = (): unknown[] =>
  database.read((sqlite) => sqlite.prepare('SELECT conversation FROM log ORDER BY conversation').all()).map((row) => row['conversation'])

describe('group commit', () => {
  test('work handed in during one turn of the loop shares a commit, in its order', async () => {
    const batches: number[] = []
    const groupCommit = createGroupCommit({ database, onBatch: (size) => batches.push(size) })
    const order: number[] = []
    await Promise.all([1, 2, 3].map((number) => groupCommit.submit(() => order.push(number))))
    expect({ batches, order }).toEqual({ batches: [3], order: [1, 2, 3] })
  })

  test('who hands in more than a commit takes waits for own work, and the others go in between', async () => {
    const groupCommit = createGroupCommit({ database, maxBatch: 2 })
    const order: string[] = []
    const handIn = (sender: string, count: number): Promise<number>[] =>
      Array.from({ length: count }, () => groupCommit.submit(() => order.push(sender), { sender, bytes: new Uint8Array(1) }))
    await Promise.all([...handIn('mallory', 5), ...handIn('alice', 1), ...handIn('bob', 1)])
    expect(order).toEqual(['mallory', 'alice', 'mallory', 'bob', 'mallory', 'mallory', 'mallory'])
  })

  test('a commit takes no more bytes than it may, and what is left goes with the next', async () => {
    const batches: number[] = []
    const groupCommit = createGroupCommit({ database, maxBytes: 100, onBatch: (size) => batches.push(size) })
    const large = (): Promise<void> => groupCommit.submit(() => undefined, { sender: 'mallory', bytes: new Uint8Array(60) })
    await Promise.all([large(), large(), large()])
    expect(batches).toEqual([1, 1, 1])
  })

  test('it is settled when what was handed in is answered, whoever goes first', async () => {
    const groupCommit = createGroupCommit({ database, maxBatch: 2 })
    let answered = 0
    for (let at = 0; at < 7; at++) {
      groupCommit
        .submit(() => undefined, { sender: 'alice', bytes: new Uint8Array(1) })
        .then(
          () => (answered += 1),
          () => undefined,
        )
    }
    await groupCommit.settled()
    expect(answered).toBe(7)
  })

  test('when work is answered, another connection can see what it wrote', async () => {
    const groupCommit = createGroupCommit({ database })
    let seenInside: unknown[] | undefined
    const work = groupCommit.submit((transaction) => {
      begin('a')(transaction)
      seenInside = stored()
    })
    await work
    expect({ seenInside, after: stored() }).toEqual({ seenInside: [], after: ['a'] })
  })

  test('a commit that fails answers nobody, and nothing of it is there', async () => {
    const faults: unknown[] = []
    const broken = Object.assign(new Error('disk I/O error'), { errcode: 10 })
    const groupCommit = createGroupCommit({
      database: {
        exclusive: (work) =>
          database.exclusive((sqlite) => {
            work(sqlite)
            throw broken
          }),
      },
      onDiskFault: (error) => faults.push(error),
    })
    let answered = false
    const settle = (): boolean => (answered = true)
    groupCommit.submit(begin('a')).then(settle, settle)
    await expect.poll(() => faults).toEqual([broken])
    expect({ answered, stored: stored() }).toEqual({ answered: false, stored: [] })
  })

  test('a refusal is told to the one who asked and keeps nothing from the others', async () => {
    const groupCommit = createGroupCommit({ database })
    const refused = groupCommit.submit(() => {
      throw new Refusal('stale_epoch', { epoch: 2, head: 5 })
    })
    await Promise.all([
      groupCommit.submit(begin('a')),
      expect(refused).rejects.toMatchObject({ failure: 'stale_epoch', details: { epoch: 2, head: 5 } }),
    ])
    expect(stored()).toEqual(['a'])
  })

  test('work that fails midway is undone whole, and the others of its batch are done', async () => {
    const groupCommit = createGroupCommit({ database })
    const outcomes = await Promise.allSettled([
      groupCommit.submit(begin('a')),
      groupCommit.submit((transaction) => {
        begin('b')(transaction)
        throw new Error('a fault')
      }),
      groupCommit.submit(begin('c')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(stored()).toEqual(['a', 'c'])
  })

  test('what is put off to the end of a transaction is in it, and undone with it', async () => {
    const groupCommit = createGroupCommit({ database })
    const ends: string[] = []
    const late =
      (id: string): Work<void> =>
      (transaction) =>
        transaction.atEnd(() => {
          ends.push(id)
          begin(id)(transaction)
        })
    const outcomes = await Promise.allSettled([groupCommit.submit(late('a')), groupCommit.submit(late('a')), groupCommit.submit(late('c'))])
    // The second one breaks the batch at its very end, so each ran once more by itself.
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect({ ends, stored: stored() }).toEqual({ ends: ['a', 'a', 'a', 'a', 'c'], stored: ['a', 'c'] })
  })

  test('a full disk is a refusal by name', async () => {
    const groupCommit = createGroupCommit({ database })
    const full = groupCommit.submit(() => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    })
    await expect(full).rejects.toMatchObject({ failure: 'storage_full' })
  })

  test('L-27: more than may wait is refused at once as unavailable', async () => {
    const groupCommit = createGroupCommit({ database, maxQueued: 2 })
    const outcomes = await Promise.allSettled([1, 2, 3].map((id) => groupCommit.submit(begin(String(id)))))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(outcomes[2]).toMatchObject({ reason: { failure: 'unavailable' } })
  })

  test('unhurried work goes with the next that is in a hurry', async () => {
    const batches: number[] = []
    const groupCommit = createGroupCommit({ database, patience: 60_000, onBatch: (size) => batches.push(size) })
    await Promise.all([groupCommit.submitUnhurried(begin('a')), groupCommit.submit(begin('b'))])
    expect(batches).toEqual([2])
  })

  test('unhurried work does not wait for ever', async () => {
    const groupCommit = createGroupCommit({ database, patience: 1 })
    await groupCommit.submitUnhurried(begin('a'))
    expect(stored()).toEqual(['a'])
  })
})
