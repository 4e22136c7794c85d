import { defineConfig } from 'vitest/config'

// Tests run against the sources; AMBIT_DIST=1 runs the same tests against the built package.
const conditions = process.env.AMBIT_DIST ? [] : ['ambit-source']

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, 'node', 'import', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
