/**
 * What every store driver must do, as a list of stories. It knows no test runner, because in the browser it runs inside a
 * worker: whoever has a driver runs each case against an empty place and reports what it throws.
 */
import type { Row, SqlValue, StoreDriver } from './driver.ts'
import { StoreError, type StoreTrouble } from './failure.ts'

export interface StorePlace {
  /** Opens the one database of this place, which is empty the first time. */
  readonly open: () => Promise<StoreDriver>
}

export interface StoreCase {
  readonly name: string
  /** Cases about reopening are left out for a place in memory. */
  readonly needsReopening?: boolean
  readonly run: (place: StorePlace) => Promise<void>
}

export const storeCases: readonly StoreCase[] = [
  {
    name: 'every kind of value comes back as it was',
    run: withStore(async (store) => {
      const values: SqlValue[] = [
        0,
        -7,
        1.5,
        Number.MAX_SAFE_INTEGER,
        -Number.MAX_SAFE_INTEGER,
        2n ** 53n,
        -(2n ** 53n),
        2n ** 63n - 1n,
        -(2n ** 63n),
        '',
        'Grüße, 世界 \u{1f600}\u0000!',
        new Uint8Array(),
        Uint8Array.from({ length: 70_000 }, (_, index) => index % 256),
        null,
      ]
      await store.transaction(async (writer) => {
        await writer.run('create table t (n integer primary key, v)')
        for (const [n, v] of values.entries()) await writer.run('insert into t values (?, ?)', [n, v])
      })
      const rows = await store.all('select v from t order by n')
      agree(
        rows.map((row) => row['v']),
        values,
      )
      agree(await store.all('select n from t where typeof(v) = ? order by n limit 2', ['integer']), [{ n: 0 }, { n: 1 }])
    }),
  },
  {
    name: 'small bigints come back as numbers, the same in every driver',
    run: withStore(async (store) => agree(await store.get('select ? as a, ? as b', [7n, -1n]), { a: 7, b: -1 })),
  },
  {
    name: 'an integer of more than 64 bits is refused',
    run: withTable(async (store) => {
      await refusal('refused', store.all('select ? as n', [2n ** 63n]))
      agree(await store.get('select ? as n', [1]), { n: 1 })
    }),
  },
  {
    name: 'a blob that was read stays as it is while others are read',
    run: withStore(async (store) => {
      const [first, second] = [new Uint8Array(5000).fill(1), new Uint8Array(5000).fill(2)]
      const one = await store.get('select ? as b', [first])
      const two = await store.get('select ? as b', [second])
      agree([one?.['b'], two?.['b']], [first, second])
    }),
  },
  {
    name: 'a row that is not there is undefined',
    run: withTable(async (store) => agree(await store.get('select n from t where n = ?', [5]), undefined)),
  },
  {
    name: 'a script of several statements runs whole',
    run: withStore(async (store) => {
      await store.transaction((writer) => writer.run("create table a (x text); create table b (y); insert into a values ('one; two')"))
      agree(await store.all('select x from a'), [{ x: 'one; two' }])
      agree(await store.all('select y from b'), [])
    }),
  },
  {
    name: 'a transaction answers with what its work returned',
    run: withTable(async (store) => agree(await store.transaction(async (writer) => (await writer.get('select 6 * 7 as n'))?.['n']), 42)),
  },
  {
    name: 'inside a transaction its own writes are visible',
    run: withTable((store) =>
      store.transaction(async (writer) => {
        await writer.run('insert into t values (1)')
        agree(await writer.all('select n from t'), [{ n: 1 }])
      }),
    ),
  },
  {
    name: 'outside, nothing of a transaction is visible before it is committed',
    run: withTable(async (store) => {
      const seen: Promise<readonly Row[]>[] = []
      await store
        .transaction(async (writer) => {
          await writer.run('insert into t values (1)')
          seen.push(store.all('select n from t'))
          await writer.run('insert into t values (2)')
          throw new Error('changed my mind')
        })
        .catch(() => undefined)
      agree(await Promise.all(seen), [[]])
    }),
  },
  {
    name: 'when the work throws, nothing of it happened and the error comes out unchanged',
    run: withTable(async (store) => {
      const reason = new Error('changed my mind')
      const thrown = await caught(
        store.transaction(async (writer) => {
          await writer.run('insert into t values (1)')
          await writer.run('create table u (x)')
          throw reason
        }),
      )
      agree(thrown === reason, true)
      agree(await store.all('select n from t'), [])
      agree(await store.all("select name from sqlite_schema where name = 'u'"), [])
      await store.transaction((writer) => writer.run('insert into t values (2)'))
      agree(await store.all('select n from t'), [{ n: 2 }])
    }),
  },
  {
    name: 'a statement that fails takes the transaction with it when nobody catches it',
    run: withTable(async (store) => {
      await refusal(
        'refused',
        store.transaction(async (writer) => {
          await writer.run('insert into t values (1)')
          await writer.run('insert into t values (1)')
        }),
      )
      agree(await store.all('select n from t'), [])
    }),
  },
  {
    name: 'a statement that fails and is caught leaves the rest of the transaction standing',
    run: withTable(async (store) => {
      await store.transaction(async (writer) => {
        await writer.run('insert into t values (1)')
        await refusal('refused', writer.run('insert into t values (1)'))
        await writer.run('insert into t values (2)')
      })
      agree(await store.all('select n from t order by n'), [{ n: 1 }, { n: 2 }])
    }),
  },
  {
    name: 'transactions started together run one after the other, in order',
    run: withTable(async (store) => {
      const log: string[] = []
      await Promise.all(
        ['a', 'b', 'c'].map((name, index) =>
          store.transaction(async (writer) => {
            log.push(`${name} begins`)
            agree((await writer.get('select count(*) as n from t'))?.['n'], index)
            await writer.run('insert into t values (?)', [index])
            await Promise.resolve()
            log.push(`${name} ends`)
          }),
        ),
      )
      agree(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    }),
  },
  {
    name: 'a transaction that fails does not disturb those that wait behind it',
    run: withTable(async (store) => {
      const outcomes = await Promise.allSettled([
        store.transaction(async (writer) => {
          await writer.run('insert into t values (1)')
          throw new Error('changed my mind')
        }),
        store.transaction((writer) => writer.run('insert into t values (2)')),
        store.all('select n from t'),
      ])
      agree(
        outcomes.map((outcome) => outcome.status),
        ['rejected', 'fulfilled', 'fulfilled'],
      )
      agree(await store.all('select n from t'), [{ n: 2 }])
    }),
  },
  {
    name: 'statements that the work did not wait for still belong to its transaction',
    run: withTable(async (store) => {
      await store.transaction(async (writer) => {
        for (let n = 0; n < 20; n++) void writer.run('insert into t values (?)', [n])
      })
      agree(await store.get('select count(*) as n, max(n) as last from t'), { n: 20, last: 19 })
    }),
  },
  {
    name: 'a writer that outlived its transaction is refused',
    run: withTable(async (store) => {
      const kept = await store.transaction(async (writer) => ({ run: () => writer.run('insert into t values (1)') }))
      await refusal('closed', kept.run())
      agree(await store.all('select n from t'), [])
    }),
  },
  {
    name: 'a statement that SQLite does not understand is a typed failure without the values in it',
    run: withStore(async (store) => {
      const error = await caught(store.all('select nothing from nowhere where x = ?', ['secret-4711']))
      agree(error instanceof StoreError && error.trouble, 'refused')
      agree(String(error).includes('secret-4711'), false)
    }),
  },
  {
    name: 'foreign keys are enforced',
    run: withStore(async (store) => {
      await store.transaction((writer) => writer.run('create table p (id primary key); create table c (p references p(id))'))
      await refusal(
        'refused',
        store.transaction((writer) => writer.run('insert into c values (1)')),
      )
    }),
  },
  {
    name: 'a closed store refuses, and closing again is nothing',
    run: async (place) => {
      const store = await place.open()
      await store.close()
      await store.close()
      await refusal('closed', store.all('select 1'))
      await refusal(
        'closed',
        store.transaction(async () => undefined),
      )
      await store.wipe()
    },
  },
  {
    name: 'closing waits for the transactions before it',
    run: withTable(async (store) => {
      const written = store.transaction((writer) => writer.run('insert into t values (1)'))
      await store.close()
      await written
    }),
  },
  {
    name: 'what was committed is there after reopening, what was rolled back is not',
    needsReopening: true,
    run: async (place) => {
      const before = await place.open()
      await before.transaction((writer) => writer.run('create table t (n, b)'))
      for (let n = 0; n < 30; n++)
        await before.transaction((writer) => writer.run('insert into t values (?, ?)', [n, new Uint8Array(9000)]))
      await caught(
        before.transaction(async (writer) => {
          await writer.run('delete from t')
          throw new Error('changed my mind')
        }),
      )
      await before.close()
      const after = await place.open()
      agree(await after.get('select count(*) as n, sum(length(b)) as bytes from t'), { n: 30, bytes: 270_000 })
      await after.wipe()
    },
  },
  {
    name: 'a second opening is refused while the first is open',
    needsReopening: true,
    run: async (place) => {
      const first = await place.open()
      await first.transaction((writer) => writer.run('create table t (n)'))
      await refusal('in_use', place.open())
      await first.transaction((writer) => writer.run('insert into t values (1)'))
      agree(await first.all('select n from t'), [{ n: 1 }])
      await first.wipe()
    },
  },
  {
    name: 'after a wipe the store is closed and the place is empty',
    needsReopening: true,
    run: async (place) => {
      const before = await place.open()
      await before.transaction((writer) => writer.run("create table t (n); insert into t values ('gone')"))
      await before.wipe()
      await refusal('closed', before.all('select n from t'))
      const after = await place.open()
      agree(await after.all('select name from sqlite_schema'), [])
      await after.wipe()
    },
  },
]

/** Opens, runs the story, wipes. */
function withStore(story: (store: StoreDriver) => Promise<void>): (place: StorePlace) => Promise<void> {
  return async (place) => {
    const store = await place.open()
    try {
      await story(store)
    } finally {
      await store.wipe()
    }
  }
}

/** The same with a table `t (n integer primary key)`. */
function withTable(story: (store: StoreDriver) => Promise<void>): (place: StorePlace) => Promise<void> {
  return withStore(async (store) => {
    await store.transaction((writer) => writer.run('create table t (n integer primary key)'))
    await story(store)
  })
}

async function refusal(trouble: StoreTrouble, action: Promise<unknown>): Promise<void> {
  const error = await caught(action)
  agree(error instanceof StoreError ? error.trouble : `no StoreError but ${String(error)}`, trouble)
}

async function caught(action: Promise<unknown>): Promise<unknown> {
  try {
    await action
  } catch (error) {
    return error
  }
  throw new Error('this should have been refused')
}

function agree(actual: unknown, expected: unknown): void {
  const [found, wanted] = [inWords(actual), inWords(expected)]
  if (found !== wanted) throw new Error(`found ${found.slice(0, 500)}, expected ${wanted.slice(0, 500)}`)
}

/** JSON that tells 1 from 1n and bytes from arrays. */
function inWords(value: unknown): string {
  return JSON.stringify([value], (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Uint8Array) return `bytes ${Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
    return part === undefined ? 'undefined' : part
  })
}
