import { describe } from 'vitest'
import { busConformance } from './conformance.ts'
import { createInProcessBus } from './in-process.ts'

describe('the bus of a single process', () => {
  busConformance(() => {
    const faults: unknown[] = []
    return Promise.resolve({ bus: createInProcessBus((error) => faults.push(error)), faults, settled: () => Promise.resolve() })
  })
})
