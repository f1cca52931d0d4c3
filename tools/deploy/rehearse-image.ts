/**
 * `npm run rehearse:image`: runs the steps of the Dockerfile without Docker, each stage in a folder of its own, then starts what
 * came out as the image would, with its files read-only, and asks whether it is ready. For machines that have no Docker; it
 * knows the instructions that our file uses and refuses any other.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

interface Stage {
  /** Stands for the root of the stage's file system. */
  readonly root: string
  workdir: string
  readonly env: Record<string, string>
  command: readonly string[]
}

const repository = resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'tacit-image-'))
const stages = new Map<string, Stage>()
let current: Stage | undefined

try {
  for (const line of instructions()) obey(line)
  await start(stage())
} finally {
  spawnSync('chmod', ['-R', 'u+w', scratch])
  rmSync(scratch, { recursive: true, force: true })
}

/** Continued lines are one. */
function instructions(): string[] {
  const text = readFileSync(join(repository, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ')
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

function stage(): Stage {
  if (!current) throw new Error('the file begins with FROM')
  return current
}

function obey(line: string): void {
  console.log(line)
  const [instruction = '', ...rest] = line.split(/\s+/)
  const said = line.slice(instruction.length + 1)
  if (instruction === 'FROM') begin(rest)
  else if (instruction === 'WORKDIR') stage().workdir = rest[0] ?? '/'
  else if (instruction === 'COPY') copy(rest)
  else if (instruction === 'RUN') run(said)
  else if (instruction === 'ENV') Object.assign(stage().env, Object.fromEntries(rest.map((pair) => pair.split('=', 2))))
  else if (instruction === 'CMD') stage().command = JSON.parse(said)
  else if (!['VOLUME', 'USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK'].includes(instruction))
    throw new Error(`${instruction} is not rehearsed`)
}

function begin([, , name = 'image']: readonly string[]): void {
  const root = join(scratch, name)
  mkdirSync(root)
  current = { root, workdir: '/', env: {}, command: [] }
  stages.set(name, current)
}

function copy(words: readonly string[]): void {
  const from = words[0]?.startsWith('--from=') ? stages.get(words[0].slice('--from='.length)) : undefined
  const [source = '', target = ''] = from ? words.slice(1) : words
  const to = inside(stage(), resolve(stage().workdir, target))
  mkdirSync(dirname(to), { recursive: true })
  if (from) cpSync(inside(from, source), to, { recursive: true, verbatimSymlinks: true })
  else copyContext(to)
}

/** What Docker would be sent: the files of the repository that .dockerignore does not name. */
function copyContext(to: string): void {
  const ignored = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n').filter(Boolean)
  const tracked = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: repository, encoding: 'utf8' }).stdout
  const left = new Set(
    globSync(
      ignored.flatMap((pattern) => [pattern, `${pattern}/**`]),
      { cwd: repository },
    ),
  )
  for (const file of tracked.split('\n').filter((name) => name !== '' && !left.has(name))) {
    if (lstatSync(join(repository, file), { throwIfNoEntry: false })) cpSync(join(repository, file), join(to, file), { recursive: true })
  }
}

/** Absolute paths of a command are meant inside the stage; only /data is made by one. */
function run(command: string): void {
  const { workdir, env } = stage()
  if (command.includes('/data')) return void mkdirSync(inside(stage(), '/data'), { recursive: true })
  const cwd = inside(stage(), workdir)
  const { status } = spawnSync('sh', ['-c', command], { cwd, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) throw new Error(`the step failed: ${command}`)
}

async function start({ root, workdir, env, command, ...rest }: Stage): Promise<void> {
  const made = { root, workdir, env, command, ...rest }
  const cwd = inside(made, workdir)
  spawnSync('chmod', ['-R', 'a-w', cwd])
  const [program = '', ...args] = command
  const settings = { TACIT_DATA_DIR: inside(made, '/data'), TACIT_PORT: '0', TACIT_METRICS_PORT: '0' }
  chmodSync(settings.TACIT_DATA_DIR, 0o700)
  const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'], ...env, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise: url, resolve: found, reject } = Promise.withResolvers<string>()
  child.stdout.on('data', (chunk: Buffer) => {
    const said = /Tacit is ready: (\S+)/.exec(chunk.toString())?.[1]
    if (said) found(said)
  })
  child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  const [ready, page] = await Promise.all(['/health/ready', '/'].map(async (path) => (await fetch((await url) + path)).text()))
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  if (!ready?.includes('"ok"') || !page?.includes('<html')) throw new Error(`the server is not ready: ${ready}`)
  console.log(`The image would start, serves the web app, and stops with ${code}. Size: ${size(cwd)}.`)
}

function inside({ root }: Pick<Stage, 'root'>, path: string): string {
  return join(root, path)
}

function size(folder: string): string {
  return spawnSync('du', ['-sh', folder], { encoding: 'utf8' }).stdout.split('\t')[0] ?? ''
}
