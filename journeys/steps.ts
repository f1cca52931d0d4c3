/**
 * Counts what a person does in a browser and how long it takes: a press of a button or link, and each field that is filled,
 * are a step. What is counted is printed, so that a journey that grew longer is seen.
 */
import type { BrowserContext } from '@playwright/test'

export interface Counted {
  /** Counts anew, without a word about what was before. */
  begin(): void
  /** Prints `journey: <name>: <steps> steps, <seconds> s` for everything since the beginning, or since it was last told. */
  tell(name: string): void
}

export async function countSteps(context: BrowserContext): Promise<Counted> {
  let steps = 0
  let since = performance.now()
  await context.exposeBinding('tellStep', () => void steps++)
  await context.addInitScript(() => {
    const step = () => void Reflect.get(globalThis, 'tellStep')()
    let field: EventTarget | null = null
    addEventListener('focusin', () => (field = null), true)
    addEventListener(
      'input',
      ({ target }) => {
        if (target !== field) step()
        field = target
      },
      true,
    )
    // A label clicks its field as well; what is typed there is counted above.
    addEventListener('click', ({ target }) => target instanceof Element && target.closest('a, button, summary') && step(), true)
  })
  const begin = () => {
    steps = 0
    since = performance.now()
  }
  return {
    begin,
    tell(name) {
      console.log(`journey: ${name}: ${steps} steps, ${((performance.now() - since) / 1000).toFixed(1)} s`)
      begin()
    },
  }
}
