/** F-05, F-06, F-09, F-08: PostgreSQL is killed, a standby takes over, connections die after COMMIT, commits are slow. */
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres, type PostgresServer } from '../../postgres-process.ts'
import { createDatabase } from '../create-database.ts'
import { Link } from '../link.ts'
import { milliseconds, quantile, worst, type Outcome, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

/** From the database being back to the next acceptance, milliseconds. */
const RESUMES_WITHIN = 5000

const USER = 'tacit'

export const databaseKill: Row = {
  id: 'F-05',
  name: 'kill -9 of all of PostgreSQL',
  short: 4,
  long: 100,
  async run(kills) {
    const postgres = await startPostgres(['max_connections=50'])
    try {
      await createDatabase(postgres)
      const resumed: number[] = []
      let falseAcks = 0
      const end = await playScene({ database: postgres.url('tacit') }, async (scene) => {
        const { crowd, recorder } = scene
        crowd.talk()
        for (let kill = 0; kill < kills; kill++) {
          await crowd.acceptedReaches(crowd.accepted + 300)
          await postgres.kill()
          await pause(50)
          // What was on its way when it died has been answered by now; from here on nothing can be true.
          const before = crowd.accepted
          await pause(200)
          falseAcks += crowd.accepted - before
          await postgres.restart()
          resumed.push(await crowd.nextAccept(recorder.now()))
        }
      })
      return outcomeOf(end, {
        injections: kills,
        says: falseAcks > 0 ? `${falseAcks} were acknowledged while there was no database` : undefined,
        figures: [
          milliseconds('database back to first accept p50', quantile(resumed, 0.5)),
          milliseconds('max', worst(resumed), RESUMES_WITHIN),
        ],
      })
    } finally {
      await postgres.stop()
    }
  },
}

export const failover: Row = {
  id: 'F-06',
  name: 'a synchronous standby takes over',
  short: 1,
  long: 50,
  async run(times) {
    const outcomes: Outcome[] = []
    for (let time = 0; time < times; time++) outcomes.push(await failOver())
    return {
      injections: times,
      acknowledged: outcomes.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      violations: outcomes.flatMap(({ violations }) => violations),
      figures: outcomes.at(-1)?.figures ?? [],
    }
  },
}

async function failOver(): Promise<Outcome> {
  await using held = new AsyncDisposableStack()
  const primary = await startPostgres(['max_connections=50'])
  held.defer(() => primary.stop())
  await createDatabase(primary)
  await primary.halt()
  const standby = await primary.standby(['max_connections=50'])
  held.defer(() => standby.stop())
  const synchronous = ['max_connections=50', 'synchronous_standby_names=*']
  await primary.restart(synchronous)
  await standby.restart()
  const link = await Link.to({ path: primary.socket })
  held.defer(() => link.close())
  const database = `postgres://${USER}@127.0.0.1:${link.port}/tacit`
  let took = 0
  let lag = 0
  const end = await playScene({ database }, async ({ crowd, recorder }) => {
    crowd.talk()
    await crowd.acceptedReaches(crowd.accepted + 500)
    const since = recorder.now()
    await primary.kill()
    await standby.promote()
    link.lead({ path: standby.socket })
    link.drop()
    lag = recorder.now() - since
    took = await crowd.nextAccept(recorder.now())
    await crowd.acceptedReaches(crowd.accepted + 200)
  })
  await primary.restart(synchronous)
  const fenced = await isFenced(primary)
  return outcomeOf(end, {
    injections: 1,
    says: fenced ? undefined : 'the old primary accepts without its standby',
    figures: [milliseconds('promotion', lag), milliseconds('promoted to first accept', took, RESUMES_WITHIN)],
  })
}

/** What is written on the old primary waits for a standby that is gone: whoever asks for it gets no answer. */
async function isFenced(primary: PostgresServer): Promise<boolean> {
  const client = new Client({ connectionString: primary.url('tacit') })
  client.on('error', () => undefined)
  await client.connect()
  const wrote = client.query('CREATE TABLE split_brain (a int)').then(
    () => true,
    () => false,
  )
  const accepted = await Promise.race([wrote, pause(2000, false)])
  await primary.kill()
  await client.end().catch(() => undefined)
  return !accepted
}

export const lostAnswers: Row = {
  id: 'F-09',
  name: 'the connection dies between COMMIT and its answer',
  short: 30,
  long: 200,
  async run(times) {
    const postgres = await startPostgres(['max_connections=50'])
    const link = await Link.to({ path: postgres.socket })
    try {
      await createDatabase(postgres)
      let cuts = 0
      const end = await playScene({ database: `postgres://${USER}@127.0.0.1:${link.port}/tacit` }, async ({ crowd }) => {
        crowd.talk()
        const commits = setInterval(() => crowd.commit(), 150)
        while (cuts < times) {
          await crowd.acceptedReaches(crowd.accepted + 60)
          const wanted = cuts + 1
          link.onRequest((chunk, cut) => {
            // The hot path's statement is prepared: only its parameters are on the wire, and they are what is long.
            if (cuts >= wanted || (chunk.length < 600 && !chunk.includes('commit'))) return
            cuts += 1
            cut()
          })
          while (cuts < wanted) await pause(2)
        }
        link.onRequest(() => undefined)
        clearInterval(commits)
        await crowd.acceptedReaches(crowd.accepted + 100)
      })
      return outcomeOf(end, { injections: cuts, says: undefined, figures: [] })
    } finally {
      await link.close()
      await postgres.stop()
    }
  },
}

export const slowDatabase: Row = {
  id: 'F-08',
  name: 'commits take half a second',
  short: 1,
  long: 20,
  async run(times) {
    const postgres = await startPostgres(['max_connections=50'])
    const link = await Link.to({ path: postgres.socket })
    try {
      await createDatabase(postgres)
      let p99 = 0
      const end = await playScene({ database: `postgres://${USER}@127.0.0.1:${link.port}/tacit` }, async ({ crowd }) => {
        for (let time = 0; time < times; time++) {
          crowd.talk()
          await crowd.acceptedReaches(crowd.accepted + 200)
          link.slow(500)
          crowd.measure()
          await pause(4000)
          p99 = Math.max(p99, quantile(crowd.acceptTimes, 0.99))
          link.mend()
        }
      })
      return outcomeOf(end, { injections: times, says: undefined, figures: [milliseconds('accept p99 meanwhile', p99)] })
    } finally {
      await link.close()
      await postgres.stop()
    }
  },
}

export const collisions: Row = {
  id: 'F-10',
  name: 'every fourth transaction fails because others came between',
  short: 1,
  long: 5,
  async run(times) {
    const postgres = await startPostgres(['max_connections=50'])
    try {
      await createDatabase(postgres)
      const end = await playScene({ database: postgres.url('tacit') }, async ({ crowd }) => {
        const client = new Client({ connectionString: postgres.url('tacit') })
        await client.connect()
        for (let time = 0; time < times; time++) {
          await client.query(COLLIDE)
          crowd.talk()
          const commits = setInterval(() => crowd.commit(), 100)
          await crowd.acceptedReaches(crowd.accepted + 1000)
          clearInterval(commits)
          await client.query('DROP TRIGGER collide ON entry')
        }
        await client.end()
      })
      return outcomeOf(end, { injections: times, says: undefined, figures: [] })
    } finally {
      await postgres.stop()
    }
  },
}

/** A serialization failure (40001) or a deadlock (40P01), by lot. */
const COLLIDE = `
CREATE OR REPLACE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.125 THEN RAISE EXCEPTION 'by lot' USING ERRCODE = '40001'; END IF;
  IF random() < 0.125 THEN RAISE EXCEPTION 'by lot' USING ERRCODE = '40P01'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER collide BEFORE INSERT ON entry FOR EACH STATEMENT EXECUTE FUNCTION collide()`
