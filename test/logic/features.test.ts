import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { traceOfAmbit, traceOfXState, type Script } from './worlds.ts'

const names: string[] = []
const files = readdirSync(new URL('./features', import.meta.url)).sort()

/** Where Ambit differs on purpose: what it does instead. */
const different = new Map<string, readonly string[]>([
  // A stop is a message like any other: the turn in which it is asked for is whole.
  [
    'a machine stopped by its own action finishes its step and drops what was sent meanwhile',
    ['exit a', 'go', 'never', 'stopped', 'value b'],
  ],
])

for (const file of files) {
  const found = (await import(`./features/${file}`)) as Record<string, unknown>
  const scripts = Object.entries(found)
    .filter(([name]) => name.endsWith('Scripts'))
    .flatMap(([, list]) => list as readonly Script[])
  if (scripts.length === 0) continue
  for (const { name } of scripts) names.push(name)
  describe(file, () => {
    test.each(scripts)('M1 $name', async (script) => {
      const expected = await traceOfXState(script)
      expect(expected).not.toEqual([])
      const differs = different.get(script.name)
      expect(expected).not.toEqual(differs)
      expect(await traceOfAmbit(script)).toEqual(differs ?? expected)
    })
  })
}

test('M1 every difference that is allowed for is met', () => {
  for (const name of different.keys()) expect(names).toContain(name)
})
