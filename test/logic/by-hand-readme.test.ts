import { actor, createSystem, manualClock } from 'ambit'
import { expect, test } from 'vitest'
import { assign, createMachine } from 'xstate'
import { pastOf, type Shown, shown } from './by-hand.ts'

test("B2 the README's kettle is heated by hand", async () => {
  const seen: unknown[] = []
  const kettle = createMachine({
    context: { cups: 0 },
    initial: 'cold',
    states: {
      cold: { on: { heat: 'heating' } },
      heating: { after: { 60_000: 'hot' }, on: { stop: 'cold' } },
      hot: { on: { pour: { actions: assign({ cups: ({ context }) => context.cups + 1 }) } } },
    },
  })

  const clock = manualClock()
  const root = actor('kettle', kettle, { durability: 'none', restart: 'temporary' })
  const system = createSystem({ root, scheduler: 'manual', clock })
  await system.start()
  const ref = system.ref('/kettle')
  ref.subscribe(({ value }: Shown) => void seen.push(value))
  ref.send({ type: 'heat' })
  system.drain()
  expect(seen).toEqual(['heating'])
  clock.advance(60_000)
  expect(seen).toEqual(['heating', 'hot'])
  ref.send({ type: 'pour' })
  system.drain()
  expect(seen).toEqual(['heating', 'hot', 'hot'])
  expect(shown(ref).context).toEqual({ cups: 1 })
  await system.stop()
})

test.each([
  { state: 'open', pay: false, value: 'open' },
  { state: 'paid', pay: true, value: 'settled' },
])("S4 the README's order that was stored as $state is $value after its migration", async (row) => {
  const before = createMachine({
    id: 'order',
    context: { item: 'a lamp' },
    initial: 'open',
    states: { open: { on: { pay: 'paid' } }, paid: {} },
  })
  const order = createMachine({
    id: 'order',
    version: '2',
    context: { lines: [] as string[] },
    initial: 'open',
    states: { open: { on: { pay: 'settled' } }, settled: {} },
  })
  const spec = actor('it', order, {
    migrations: [
      {
        from: '1',
        to: '2',
        migrate: ({ value, context }) => ({
          value: value === 'paid' ? 'settled' : value,
          context: { lines: [(context as { item: string }).item] },
        }),
      },
    ],
  })
  const past = pastOf('memory', 'stop', actor('it', before))
  const life = await past.begin()
  if (row.pay) await life.send('pay')
  await past.end()
  const { ref } = await past.begin(spec)
  expect(shown(ref)).toMatchObject({ value: row.value, context: { lines: ['a lamp'] } })
})
