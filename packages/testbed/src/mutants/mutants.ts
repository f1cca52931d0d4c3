/** All mutants: each must be caught by its catcher, and each catcher must find nothing without a mutant. */
import { availableParallelism } from 'node:os'
import { mutants, type Catcher, type Mutant } from './catalogue.ts'
import { keyOf, runCatcher, runSound, type Found } from './run-mutant.ts'

/** Some catchers wait for what never comes, so there is one more than processors. */
const AT_ONCE = availableParallelism() + 1

export interface MutantRow {
  readonly name: string
  readonly caught: boolean
  readonly by: string
  /** What it said, or why it does not count. */
  readonly says: string
  readonly seconds: number
}

export async function runMutants({
  only = [],
  onRow = () => undefined,
}: {
  only?: readonly string[]
  onRow?: (row: MutantRow) => void
}): Promise<MutantRow[]> {
  const wanted = mutants.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
  const sound = new Map<string, Found>()
  await inParallel(togetherIn(wanted), async (catchers) => {
    for (const [key, found] of await runSound(catchers)) sound.set(key, found)
  })
  const rows: MutantRow[] = []
  await inParallel(wanted, async (mutant) => {
    const row = await tryMutant(mutant, sound.get(keyOf(mutant.catcher)))
    rows.push(row)
    onRow(row)
  })
  return rows
}

/** Each catcher once; those in one test file run together. */
function togetherIn(wanted: readonly Mutant[]): readonly (readonly Catcher[])[] {
  const catchers = new Map(wanted.map(({ catcher }) => [keyOf(catcher), catcher])).values()
  return [...Map.groupBy(catchers, (one) => (one.kind === 'test' ? `${one.project} ${one.file}` : keyOf(one))).values()]
}

async function tryMutant({ name, changes, catcher }: Mutant, without: Found | undefined): Promise<MutantRow> {
  const began = performance.now()
  const found = await runCatcher(catcher, changes).catch((error: unknown): Found => ({ kind: 'broken', says: String(error) }))
  const seconds = Math.round((performance.now() - began) / 100) / 10
  const isSound = without?.kind === 'silent'
  const says = isSound ? found.says : `without the mutant: ${without?.says ?? 'nothing'}`
  return { name, caught: isSound && found.kind === 'found', by: nameOf(catcher), says, seconds }
}

const nameOf = (catcher: Catcher): string =>
  catcher.kind === 'test' ? catcher.file.replace(/^packages\/(\w+)\/src\//, '$1: ') : `${catcher.images} crash images`

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
