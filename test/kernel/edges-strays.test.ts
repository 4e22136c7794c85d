import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../support/strays.js', import.meta.url))

/** Runs a scenario in a process of its own: what it said, in no order, and how it ended. */
function ran(scenario: string, ...flags: string[]) {
  const child = spawnSync(process.execPath, [...flags, script, scenario], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  const said = child.stdout.split('\n').filter((line) => line !== '')
  return { said: said.sort(), code: child.status, error: child.stderr }
}

describe('a promise that an effect forgot', () => {
  test('F10 fails just that effect, in its own system, whatever is kept, and the process lives', () => {
    const { said, code } = ran('each')
    expect(said).toEqual(['a of a', 'alive', 'b of b', 'c of c', 'd of d'])
    expect(code).toBe(0)
  })

  test('F10 is still attributed when another system of the process has stopped', () => {
    const { said, code } = ran('stopped')
    expect(said).toEqual(['a of a', 'alive', 'b of b'])
    expect(code).toBe(0)
  })

  test('F10 after the end of its effect changes nothing, and is written to the log', () => {
    const { said, code } = ran('late')
    expect(said).toEqual(['a done', 'alive', 'log after its end'])
    expect(code).toBe(0)
  })

  test('F10 is heard by a listener of the process as before', () => {
    const { said, code } = ran('listened')
    expect(said).toEqual(['a of a', 'alive', 'heard of a', 'heard of nobody'])
    expect(code).toBe(0)
  })
})

describe('a promise that was forgotten outside any effect', () => {
  test.each(['plain', 'outside', 'afterStop'])(
    'F10 ends the process as it did before (%s)',
    (scenario) => {
      const { said, code, error } = ran(scenario)
      expect(said).not.toContain('alive')
      expect(code).toBe(1)
      expect(error).toContain('Error: of nobody')
    },
  )

  test.each(['inAction', 'wokenByEffect', 'wokenLongAgo', 'timedByEffect'])(
    'F10 in a step is not the work of an effect that woke its actor (%s)',
    (scenario) => {
      const { said, code, error } = ran(scenario)
      expect(error).toContain('Error: forgotten in an action')
      expect(said).not.toContain('alive')
      expect(code).toBe(1)
    },
  )

  test.each(['plain', 'outside'])(
    'F10 only warns where Node was told to only warn (%s)',
    (scenario) => {
      const { said, code, error } = ran(scenario, '--unhandled-rejections=warn')
      expect(error).toContain('of nobody')
      expect(said).toContain('alive')
      expect(code).toBe(0)
    },
  )
})
