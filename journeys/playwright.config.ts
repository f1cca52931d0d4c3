import { defineConfig } from '@playwright/test'
import { chromiumArgs, findChromium } from '../tools/chromium.ts'

const executablePath = findChromium()

export default defineConfig({
  testDir: '.',
  testMatch: '**/*.journey.ts',
  workers: 1,
  fullyParallel: false,
  // `npm test` names those that needed it as unstable.
  retries: process.env['CI'] ? 1 : 0,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  outputDir: '../test-results',
  use: {
    browserName: 'chromium',
    launchOptions: { ...(executablePath ? { executablePath } : {}), args: [...chromiumArgs] },
    trace: 'off',
    serviceWorkers: 'allow',
  },
})
