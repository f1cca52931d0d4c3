import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { REPLACEMENTS_VARIABLE, replacedSources } from '@tacit/testbed/replacements'
import { chromiumArgs, findChromium } from './tools/chromium.ts'

const conditions = ['tacit-source']
const chromium = findChromium()
if (!chromium && process.argv.includes('browser')) {
  throw new Error('No Chromium was found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.')
}

/** Tests of the server that open none, and need not run once for each. */
const WITHOUT_DATABASE = ['settings', 'strict-json', 'limits', 'in-process', 'append-rule', 'leases'].map(
  (name) => `packages/server/src/**/${name}.test.ts`,
)

export default defineConfig({
  plugins: [replacing()],
  resolve: { conditions: [...conditions, 'module', 'browser', 'development|production'] },
  ssr: { resolve: { conditions: [...conditions, 'node', 'development|production'], externalConditions: conditions } },
  test: {
    // A second, as is usual, is short on a machine that runs two test files and a database.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts', '**/storage/postgres/*.test.ts', '**/*.{postgres,redis,cluster}.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        // What has to do with the database, once more on a real PostgreSQL that this run starts and ends; and several servers, with a Redis.
        extends: true,
        test: {
          name: 'postgres',
          environment: 'node',
          include: ['packages/server/src/**/*.test.ts', 'packages/testbed/src/**/*.cluster.test.ts'],
          exclude: [...WITHOUT_DATABASE, '**/storage/sqlite/*.test.ts', '**/node_modules/**'],
          globalSetup: ['tools/postgres/for-tests.ts', 'tools/redis/for-tests.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      ...(chromium ? [browser(chromium)] : []),
    ],
  },
})

/** Sources with the mistakes that the environment names, for runs that must find them (packages/testbed/src/mutants). */
function replacing() {
  const sources = replacedSources(JSON.parse(process.env[REPLACEMENTS_VARIABLE] ?? '[]'))
  return { name: 'replacing', enforce: 'pre' as const, load: (id: string) => sources.get(id.replace(/\?.*/, '')) }
}

/** What needs a real browser: workers, OPFS, Web Locks, WebCrypto keys that cannot be exported. */
function browser(executablePath: string): TestProjectInlineConfiguration {
  return {
    extends: true,
    optimizeDeps: {
      // Its wasm lies beside its module, and Vite would bundle only the module.
      exclude: ['@journeyapps/wa-sqlite'],
      // Vite looks for dependencies from here; one that it meets only in a worker would make it load the page again.
      entries: ['packages/*/src/**/*.browser.test.ts', 'packages/*/src/**/*.story-worker.ts'],
    },
    test: {
      name: 'browser',
      include: ['packages/*/src/**/*.browser.test.ts'],
      exclude: ['**/node_modules/**'],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      // All files share one origin, and one of them fills up its storage.
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args: [...chromiumArgs] } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  }
}
