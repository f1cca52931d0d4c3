/**
 * Looks at a screen at 360 and 1280 pixels, light and dark: nothing sticks out, and the accessibility rules that a machine can
 * check hold. With SCREENS set to a folder, what is seen is kept there.
 */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

const SIZES = [
  { name: '360', width: 360, height: 740 },
  { name: '1280', width: 1280, height: 800 },
] as const
const SCHEMES = ['light', 'dark'] as const

export async function inspect(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size)
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      // Screens that are fetched when first needed have arrived when their heading has; an open window hides what is behind it.
      await expect(page.getByRole('heading', { level: 1 }).or(page.getByRole('dialog')).first()).toBeAttached()
      await expect(page.getByText('Loading…')).toHaveCount(0)
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      expect(sideways, `${name} at ${size.name} scrolls sideways`).toBe(0)
      const { violations } = await builderFor(page, await page.getByRole('dialog').count()).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)).toEqual([])
      const folder = process.env['SCREENS']
      if (folder) await page.screenshot({ path: join(folder, `${name}-${size.name}-${colorScheme}.png`) })
    }
  }
}

/** An open window makes what is behind it inert, and veils it: only the window is looked at. */
function builderFor(page: Page, windows: number): AxeBuilder {
  const whole = new AxeBuilder({ page })
  return windows > 0 ? whole.include('[role="dialog"]') : whole
}
