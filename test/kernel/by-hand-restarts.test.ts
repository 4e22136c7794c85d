import {
  actor,
  createSystem,
  manualClock,
  memory,
  supervisor,
  type Journal,
  type Schedule,
} from 'ambit'
import { expect, test } from 'vitest'
import { fromTransition } from 'xstate'

// Both were found by simulation.

interface Note {
  readonly type: string
  readonly text: string
}

const notes = fromTransition((taken: readonly string[], { text }: Note) => {
  if (text === 'bad') throw new Error('cannot be noted')
  return [...taken, text]
}, [])

const noteSystem = (journal: Journal, schedule?: Schedule) => {
  const clock = manualClock()
  const root = supervisor({ children: [actor('notes', notes)] })
  const ports = { journal, clock, ...(schedule !== undefined && { schedule }) }
  return { clock, system: createSystem({ root, scheduler: 'manual', ...ports }) }
}

test('R1 by hand a failure right after a restart is restarted as well', async () => {
  const { clock, system } = noteSystem(memory())
  await system.start()
  const ref = system.ref('/notes')
  for (const text of ['bad', 'bad', 'good']) ref.send({ type: 'note', text })
  system.drain()
  clock.advance(60_000)
  system.drain()
  expect(ref.getSnapshot()).toMatchObject({ status: 'active', context: ['good'] })
})

test('B1 drain() comes back from a system whose start has failed', async () => {
  const inner = memory()
  let isFailing = false
  const unreadable: Journal = {
    async open() {
      const session = await inner.open()
      const recover = () => {
        isFailing = true
        throw new Error('unreadable')
      }
      return {
        ...session,
        systemId: session.systemId,
        commit: (batch) => session.commit(batch),
        load: (address) => session.load(address),
        recover,
        history: (query) => session.history(query),
        head: () => session.head(),
        close: () => session.close(),
      }
    },
  }
  // What is due when the start fails stays undone.
  const { system } = noteSystem(unreadable, { next: () => (isFailing ? undefined : 0) })
  const started = system.start()
  for (let round = 0; round < 100; round++) {
    system.drain()
    await Promise.resolve()
  }
  await expect(started).rejects.toThrow('unreadable')
  expect(() => system.drain()).not.toThrow()
})
