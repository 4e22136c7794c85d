// A system with one counter on a SQLite journal. Reads ids on stdin, one a line; after the commit of each it prints
// the id and the count. The same id again changes nothing. Run on the built package, and made to be killed.
import { createInterface } from 'node:readline'
import { actor, createSystem, putRow, reply, sqlite, supervisor } from 'ambit'
import { assign, setup } from 'xstate'

const counter = setup({}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    add: {
      actions: [
        assign({ count: ({ context }) => context.count + 1 }),
        putRow(({ event }) => `id:${event.id}`, true),
      ],
    },
    get: { actions: reply(({ context }) => ({ type: 'count', count: context.count })) },
  },
})

const system = createSystem({
  root: supervisor({ children: [actor('counter', counter)] }),
  journal: sqlite(process.argv[2]),
})
await system.start()
process.stdout.write('ready\n')
for await (const id of createInterface({ input: process.stdin })) {
  if (id === 'count') {
    const { count } = await system.ref('/counter').ask({ type: 'get' })
    process.stdout.write(`count ${count}\n`)
    break
  }
  const outcome = await system.ref('/counter').deliver({ type: 'add', id }, { id })
  process.stdout.write(`${outcome} ${id}\n`)
}
await system.stop()
process.exit(0)
