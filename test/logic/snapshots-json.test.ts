import { actor, type Durability } from 'ambit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { assign, fromTransition, setup } from 'xstate'
import { type JournalKind, journalOf, lifeOf, shown } from './by-hand.ts'

const circle: unknown[] = []
circle.push(circle)

/** What is no JSON, and where it is found. */
const values: { name: string; value: unknown; path: string }[] = [
  { name: 'a Date', value: new Date(0), path: 'context.kept.at' },
  { name: 'a Map', value: new Map(), path: 'context.kept.at' },
  { name: 'a function', value: () => undefined, path: 'context.kept.at' },
  { name: 'a bigint', value: 1n, path: 'context.kept.at' },
  { name: 'NaN', value: NaN, path: 'context.kept.at' },
  { name: 'a hole in a list', value: [1, undefined], path: 'context.kept.at[1]' },
  { name: 'a circle', value: circle, path: 'context.kept.at' },
]

const keeper = (value: unknown) =>
  setup({
    types: { context: {} as { kept: Record<string, unknown>; count: number } },
    actors: { sum: fromTransition((state: unknown) => state, { at: value }) },
  }).createMachine({
    id: 'keeper',
    context: { kept: {}, count: 0 },
    on: {
      keep: { actions: assign({ kept: { at: value } }) },
      count: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    },
  })

const ways: { durability: Durability; journal: JournalKind }[] = [
  { durability: 'none', journal: 'memory' },
  { durability: 'async', journal: 'memory' },
  { durability: 'sync', journal: 'memory' },
  { durability: 'sync', journal: 'sqlite' },
]

describe.each(ways)('with durability $durability and a $journal journal', (way) => {
  test.each(values)('T13 $name in a context fails the turn, with its path', async (row) => {
    const spec = actor('it', keeper(row.value), {
      durability: way.durability,
      restart: 'temporary',
    })
    const life = lifeOf(spec, { journal: journalOf(way.journal) })
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    await life.send('count')
    await life.send('keep')
    const { status, error, context } = shown(life.ref)
    expect([status, (error as { code?: string }).code]).toEqual(['error', 'AMBIT_CONTEXT_NOT_JSON'])
    expect((error as Error).message).toContain(row.path)
    // Nothing of the turn has happened.
    expect(context).toEqual({ kept: {}, count: 1 })
  })

  test('T13 an optional field that is undefined is left out, and refuses nothing', async () => {
    const spec = actor('it', keeper(undefined), { durability: way.durability })
    const life = lifeOf(spec, { journal: journalOf(way.journal) })
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    await life.send('keep')
    expect(shown(life.ref)).toMatchObject({ status: 'active', context: { kept: {} } })
  })

  test('T13 a first context that is no JSON fails the start, with its path', async () => {
    const machine = setup({}).createMachine({ context: { deep: [{ at: new Date(0) }] } })
    const life = lifeOf(actor('it', machine, { durability: way.durability }), {
      journal: journalOf(way.journal),
    })
    await expect(life.system.start()).rejects.toThrow('context.deep[0].at')
  })

  test('T13 a child with a context that is no JSON fails the turn that starts it', async () => {
    const child = setup({}).createMachine({ context: { at: new Date(0) } })
    const machine = setup({ actors: { child } }).createMachine({
      initial: 'idle',
      states: { idle: { on: { go: 'going' } }, going: { invoke: { src: 'child', id: 'child' } } },
    })
    const life = lifeOf(
      actor('it', machine, { durability: way.durability, restart: 'temporary' }),
      { journal: journalOf(way.journal) },
    )
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    await life.send('go')
    const { status, error } = shown(life.ref)
    expect([status, (error as Error | undefined)?.message]).toEqual([
      'error',
      expect.stringContaining('context.at'),
    ])
  })
})
