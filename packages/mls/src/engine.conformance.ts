/**
 * What any engine behind the port must do, as vitest tests. Call it from a test file of the engine; it knows the port alone,
 * so two engines that pass it can replace each other.
 */
import { describe, expect, test } from 'vitest'
import { hostile } from './conformance/hostile.ts'
import { trust } from './conformance/trust.ts'
import { stories } from './conformance/stories.ts'
import type { MlsEngine } from './port.ts'

/** Defines the tests. `makeEngine` is called once per test. */
export const engineConformance = (name: string, makeEngine: () => Promise<MlsEngine>): void => {
  describe(name, () => {
    test('the engine names its suite', async () => {
      const engine = await makeEngine()
      expect(engine.suiteName).not.toBe('')
      expect(engine.suite).toBeGreaterThan(0)
      const { publicKey, secretKey } = await engine.generateSignaturePair()
      expect([publicKey.length, secretKey.length]).toEqual([32, 32])
    })
    stories(makeEngine, { reloads: false })
    stories(makeEngine, { reloads: true })
    hostile(makeEngine)
    trust(makeEngine)
  })
}
