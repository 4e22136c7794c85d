import { afterEach, describe, expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { reducer, room } from './rooms.ts'
import { inThread, start, stopAll, WAIT_MS } from '../support/in-threads.ts'
import { waitFor } from '../wait-for.ts'

afterEach(stopAll)

describe('a thread of its own', () => {
  const script = [
    { type: 'add' },
    { type: 'note', by: 7 },
    { type: 'add', by: 4 },
    { type: 'tell', to: '/counter' },
    { type: 'double', by: 3 },
    { type: 'plain', by: 3 },
    { type: 'question', to: '/counter' },
    { type: 'nested' },
    { type: 'unknown' },
    { type: 'end' },
  ]

  /** What is stored of a run, without what differs between any two. */
  async function stored(specs: Parameters<typeof start>[0]): Promise<unknown[]> {
    const { system } = await start(specs)
    for (const [i, event] of script.entries()) {
      await system.ref('/room').deliver(event, { id: String(i) })
      await system.atRest({ timersWithinMs: 1000 })
    }
    const turns = await system.history({ address: '/room' })
    return turns.map((turn) => {
      const text = JSON.stringify(turn.record, (key, value: unknown) =>
        ['at', 'isMainThread', 'id', 'causation', 'correlation', 'replyTo'].includes(key)
          ? undefined
          : value,
      )
      return JSON.parse(text) as unknown
    })
  }

  test('W4 stores the same turns as the process itself', async () => {
    const counter = actor('counter', reducer)
    const here = await stored([actor('room', room), counter])
    const there = await stored([inThread('room', room, 'room'), counter])
    expect(here.length).toBeGreaterThan(script.length)
    expect(there).toEqual(here)
  })
})
