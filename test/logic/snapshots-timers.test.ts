import { actor, supervisor, tell } from 'ambit'
import { describe, expect, test } from 'vitest'
import { assign, cancel, raise, setup } from 'xstate'
import { pastOf, pasts, shown, type Life } from './by-hand.ts'

const child = setup({}).createMachine({
  initial: 'young',
  states: { young: { after: { 250: 'old' } }, old: {} },
})

/** Keeps what falls due, in order, and may be told something by the neighbour. */
const clockwork = setup({
  types: { context: {} as { heard: string[] } },
  actors: { child },
  actions: { keep: assign({ heard: ({ context, event }) => [...context.heard, event.type] }) },
}).createMachine({
  context: { heard: [] },
  invoke: { src: 'child', id: 'child' },
  entry: [
    raise({ type: 'third' }, { delay: 300, id: 'third' }),
    raise({ type: 'first' }, { delay: 100, id: 'first' }),
    raise({ type: 'second' }, { delay: 200, id: 'second' }),
    raise({ type: 'last' }, { delay: 5000, id: 'last' }),
  ],
  on: {
    drop: { actions: cancel('second') },
    '*': { actions: 'keep' },
  },
})

describe.each(pasts)('after a $ending over a $journal journal', ({ journal, ending: how }) => {
  const heardOf = (life: Pick<Life, 'ref'>) => shown(life.ref).context.heard

  test('F5 delayed events keep their due times, however long nobody ran', async () => {
    const past = pastOf(journal, how, actor('it', clockwork))
    await (await past.begin()).advance(150)
    await past.end()
    const after = await past.begin(undefined, 40)
    expect(heardOf(after)).toEqual(['first'])
    await after.advance(9)
    expect(heardOf(after)).toEqual(['first'])
    await after.advance(1)
    expect(heardOf(after)).toEqual(['first', 'second'])
    await after.advance(100)
    expect(heardOf(after)).toEqual(['first', 'second', 'third'])
  })

  test('F5 overdue ones fire once and at once, by due time, and later ones stand', async () => {
    const past = pastOf(journal, how, actor('it', clockwork))
    await past.begin()
    await past.end()
    const after = await past.begin(undefined, 1000)
    expect(heardOf(after)).toEqual(['first', 'second', 'third'])
    await after.advance(3999)
    expect(heardOf(after)).toEqual(['first', 'second', 'third'])
    await after.advance(1)
    expect(heardOf(after)).toEqual(['first', 'second', 'third', 'last'])
    await past.end()
    expect(heardOf(await past.begin(undefined, 9000))).toHaveLength(4)
  })

  test('F5 one that was cancelled does not come back', async () => {
    const past = pastOf(journal, how, actor('it', clockwork))
    const before = await past.begin()
    await before.send('drop')
    await past.end()
    expect(heardOf(await past.begin(undefined, 1000))).toEqual(['first', 'third'])
  })

  test('F5 one that still stands can be cancelled', async () => {
    const past = pastOf(journal, how, actor('it', clockwork))
    await past.begin()
    await past.end()
    const after = await past.begin(undefined, 150)
    await after.send('drop')
    await after.advance(1000)
    expect(heardOf(after)).toEqual(['first', 'third'])
  })

  test('F5 the timer of a child fires in the child', async () => {
    const past = pastOf(journal, how, actor('it', clockwork))
    await past.begin()
    await past.end()
    const after = await past.begin(undefined, 240)
    const young = shown(after.ref).children.child as { getSnapshot(): unknown }
    expect(young.getSnapshot()).toMatchObject({ value: 'young' })
    await after.advance(10)
    expect(young.getSnapshot()).toMatchObject({ value: 'old' })
  })
})

/** Two neighbours: what one told the other just before the end is not lost with a process that could not bring it. */
const teller = setup({}).createMachine({
  on: { tell: { actions: tell('/it', { type: 'told' }) } },
})

test('F5 a message that was committed before the end comes before what fell due since', async () => {
  const root = supervisor({
    children: [actor('it', clockwork), actor('teller', teller)],
  })
  const past = pastOf('memory', 'crash', root, { storesGroups: false })
  const before = await past.begin()
  past.journal.afterCommit = (batch) => {
    const isTold = batch.some((entry) => entry.kind === 'turns' && entry.outbox.length > 0)
    // The turn is stored, the answer never comes: the process is gone before the message has left.
    if (isTold) void past.journal.crash()
    if (isTold) throw new Error('cut off')
  }
  before.system.ref('/teller').send({ type: 'tell' })
  await before.settle()
  past.journal.afterCommit = () => undefined
  expect(shown(before.ref).context.heard).toEqual([])
  await past.end()
  const after = await past.begin(undefined, 1000)
  expect(shown(after.ref).context.heard).toEqual(['told', 'first', 'second', 'third'])
})
