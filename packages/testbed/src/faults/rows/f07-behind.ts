/** F-07: a standby that was behind takes over from a PostgreSQL that is gone. The server refuses it until the operator accepts the loss. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startPostgres } from '../../postgres-process.ts'
import { startServerProcess, type ServerProcess } from '../../server-process.ts'
import { createDatabase } from '../create-database.ts'
import { Crowd } from '../crowd.ts'
import { Link } from '../link.ts'
import { Recorder } from '../recorder.ts'
import { milliseconds, worst, type Row } from '../row.ts'

const FLAGS = ['max_connections=50']

/** So long it is watched whether anything is accepted, milliseconds. */
const WATCHED = 3000

const ADMIN = resolve(import.meta.dirname, '../../../../server/src/admin/main.ts')

export const behind: Row = {
  id: 'F-07',
  name: 'a standby that is behind takes over',
  short: 1,
  long: 10,
  async run(injections) {
    const problems: string[] = []
    const served: number[] = []
    let acknowledged = 0
    for (let time = 0; time < injections; time++) {
      const { accepted, took, wrong } = await fallBehind()
      acknowledged += accepted
      served.push(took)
      problems.push(...wrong)
    }
    const figures = [milliseconds('loss accepted to ready', worst(served), 15_000)]
    return { injections, acknowledged, violations: problems.map((says) => ({ id: 'row', says })), figures }
  },
}

async function fallBehind(): Promise<{ accepted: number; took: number; wrong: string[] }> {
  await using held = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'tacit-behind-'))
  held.defer(() => rmSync(folder, { recursive: true, force: true }))
  const primary = await startPostgres(FLAGS)
  held.defer(() => primary.stop())
  await createDatabase(primary)
  await primary.halt()
  const standby = await primary.standby(FLAGS)
  held.defer(() => standby.stop())
  await primary.restart()
  const link = await Link.to({ path: primary.socket })
  held.defer(() => link.close())
  const database = `postgres://tacit@127.0.0.1:${link.port}/tacit`
  const environment = { TACIT_DATABASE: database, TACIT_LOG_LEVEL: 'warn' }
  const server = await startServerProcess({ environment })
  held.defer(() => server.dispose())
  const crowd = await Crowd.open({ recorder: new Recorder(join(folder, 'history.jsonl')), address: () => server.url })
  held.defer(() => crowd.stop())
  // It follows until everybody is there, and is halted while they talk.
  await standby.restart()
  crowd.talk()
  await crowd.acceptedReaches(crowd.accepted + 200)
  await standby.halt()
  await crowd.acceptedReaches(crowd.accepted + 300)
  await primary.kill()
  await standby.restart()
  await standby.promote()
  const accepted = crowd.accepted
  link.lead({ path: standby.socket })
  link.drop()
  const wrong = [...(await refusal(server, crowd)), ...(await refusesToStart(server))]
  const began = performance.now()
  const env = { ...process.env, ...environment, TACIT_DATA_DIR: server.dataDir }
  const { status, stderr } = spawnSync(process.execPath, ['-C', 'tacit-source', ADMIN, 'accept-lost-entries'], { env, encoding: 'utf8' })
  if (status !== 0) wrong.push(`the loss could not be accepted: ${stderr}`)
  await server.restart()
  while (!(await fetch(`${server.url}/health/ready`)).ok) await pause(100)
  return { accepted, took: performance.now() - began, wrong }
}

/** Nothing is accepted, and the health check takes the server out. */
async function refusal(server: ServerProcess, crowd: Crowd): Promise<string[]> {
  const before = crowd.accepted
  await pause(WATCHED)
  const isReady = (await fetch(`${server.url}/health/ready`)).ok
  return [
    ...(crowd.accepted > before ? [`${crowd.accepted - before} were accepted by a database that lacks what was acknowledged`] : []),
    ...(isReady ? ['the health check says that all is well'] : []),
  ]
}

/** What was acknowledged is written down: a server that is started anew refuses as well, in words. */
async function refusesToStart(server: ServerProcess): Promise<string[]> {
  await server.kill()
  const said = await server.restart().then(
    () => 'nothing',
    (error: unknown) => String(error),
  )
  return said.includes('lacks entries that were acknowledged') ? [] : [`started anew the server says ${said.slice(0, 300)}`]
}
