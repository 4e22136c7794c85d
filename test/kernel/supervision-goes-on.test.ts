import { describe, expect, test } from 'vitest'
import { faultyJournal } from '../support/faulty-journal.ts'
import { child, family } from '../support/family.ts'
import { until, valueOf } from '../support/running.ts'

const get = { type: 'get' }

describe.each(['deaf', 'lingers', 'ends'] as const)(
  'a durable child that is stopped, %s',
  (stopping) => {
    const one = (id: string) => child(id, { stopping, shutdownMs: 100 })

    test('R10 goes on with the next start of the system', async () => {
      const journal = faultyJournal()
      const first = await family({ children: [one('a')] }, { journal })
      first.send('/a', 'add', 'add')
      await first.rest()
      let isOver = false
      const stopped = first.kernel.stop().then(() => (isOver = true))
      await until(() => {
        first.clock.advance(50)
        return isOver
      })
      await stopped
      const second = await family({ children: [one('a')] }, { journal })
      expect(await valueOf(second.kernel, '/a', get)).toBe(2)
      await second.kernel.stop({ graceMs: 0 })
    })

    test('R35 goes on after it was stopped as a bystander, also with the next start of the system', async () => {
      const journal = faultyJournal()
      const children = () => [child('bad'), one('a')]
      const first = await family({ strategy: 'one_for_all', children: children() }, { journal })
      first.send('/a', 'add', 'add')
      first.send('/bad', 'boom')
      await first.settle()
      first.send('/a', 'add')
      await first.rest()
      expect(await valueOf(first.kernel, '/a', get)).toBe(3)
      await journal.crash()
      const second = await family({ strategy: 'one_for_all', children: children() }, { journal })
      expect(await valueOf(second.kernel, '/a', get)).toBe(3)
      await second.kernel.stop({ graceMs: 0 })
    })
  },
)
