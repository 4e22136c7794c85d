// An actor in a thread of its own, and nobody who stops the system: the process ends when nothing is left to do. Run on
// the built package.
import { actor, createSystem, effect, inWorker, supervisor } from 'ambit'
import { setup } from 'xstate'
import { isMainThread } from 'node:worker_threads'

export const housed = setup({
  actors: { work: effect(() => new Promise((resolve) => setImmediate(resolve, { isMainThread }))) },
}).createMachine({
  id: 'housed',
  initial: 'working',
  states: {
    working: { invoke: { src: 'work', onDone: 'over' } },
    over: { type: 'final', output: ({ event }) => event.output },
  },
  output: ({ event }) => event.output,
})

if (isMainThread) {
  const isolation = inWorker(new URL(import.meta.url), { export: 'housed' })
  const system = createSystem({
    root: supervisor({ children: [actor('housed', housed, { isolation })] }),
  })
  await system.start()
  system.ref('/housed').subscribe({
    complete() {
      const { isMainThread: isHere } = system.ref('/housed').getSnapshot().output ?? {}
      process.stdout.write(`done in ${isHere === false ? 'thread' : 'main'}\n`)
    },
  })
}
