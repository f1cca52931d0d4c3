/**
 * A real Redis for tests, as a process of its own on a free port of the loopback: it can be killed, started again on the same
 * port, stopped in its tracks and emptied. It keeps nothing: what the product stores there may be lost at any moment.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'

export interface RedisProcess {
  /** `redis://127.0.0.1:<port>`; the same after a restart. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
  /** Starts again, empty, after `kill`. */
  restart(): Promise<void>
  /** Stops it in its tracks and lets it go on: connections stay, nothing is answered. */
  freeze(): void
  thaw(): void
  /** Forgets everything. */
  flush(): Promise<void>
  /** Ends it. */
  stop(): Promise<void>
}

/** The program: $REDIS_SERVER, or one on the PATH. Undefined when there is none (`node tools/redis/ensure-redis.ts`). */
export function findRedis(): string | undefined {
  const candidates = [process.env['REDIS_SERVER'], 'redis-server', 'valkey-server']
  return candidates.find((program) => program && spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0)
}

/** Resolves when it takes connections. */
export async function startRedis(): Promise<RedisProcess> {
  const program = findRedis()
  if (!program) throw new Error('No Redis was found. `node tools/redis/ensure-redis.ts` installs it.')
  const port = await freePort()
  let child = await start(program, port)
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const kill = async (): Promise<void> => {
    const gone = ended(child)
    child.kill('SIGKILL')
    await gone
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? -1
    },
    kill,
    async restart() {
      child = await start(program, port)
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    flush: () => say(port, 'FLUSHALL'),
    async stop() {
      process.off('exit', end)
      await kill()
    },
  }
}

async function start(program: string, port: number): Promise<ChildProcess> {
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()]
  const child = spawn(program, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
    if (said.includes('eady to accept connections')) resolve()
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`Redis ended with ${code}: ${said}`)))
  await promise
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** It cannot choose one itself: to it 0 means none. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function say(port: number, command: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${command}\r\n`)
  await once(socket, 'data')
  socket.destroy()
}
