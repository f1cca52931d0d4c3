/** What rate budgets must do, wherever they are counted. */
import { Refusal } from '@tacit/contract'
import { expect, test } from 'vitest'
import { budgets, type BudgetName, type Limits } from './limits.ts'

export const budgetNames = Object.keys(budgets) as BudgetName[]

/** `open` gives fresh budgets; with two servers `other` counts on the same ones. */
export function limitsConformance(open: (factor: number) => Promise<{ readonly limits: Limits; readonly other: Limits }>): void {
  test.each(budgetNames.filter((name) => budgets[name].with === 'all_servers'))(
    'the budget %s gives exactly its points, whoever is asked, and then refuses with a time to wait',
    async (name) => {
      const { limits, other } = await open(1)
      for (let count = 0; count < budgets[name].points; count++) await (count % 2 === 0 ? limits : other).spend(name, 'alice')
      for (const asked of [limits, other, limits]) {
        const refusal = await asked.spend(name, 'alice').catch((error: unknown) => error)
        expect(refusal).toBeInstanceOf(Refusal)
        if (!(refusal instanceof Refusal)) return
        expect(refusal.failure).toBe('rate_limited')
        expect(refusal.details.retryAfter).toBeGreaterThan(0)
      }
      await expect(other.spend(name, 'bob')).resolves.toBeUndefined()
    },
  )

  test('budgets do not share points, and the factor multiplies each', async () => {
    const { limits, other } = await open(2)
    for (let count = 0; count < budgets.sign_in_account.points * 2; count++) await limits.spend('sign_in_account', 'alice')
    await expect(other.spend('sign_in_account', 'alice')).rejects.toThrow(Refusal)
    await expect(limits.spend('sign_in_address', 'alice')).resolves.toBeUndefined()
  })
}
