import { actor, supervisor } from 'ambit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fromTransition } from 'xstate'
import { fuses, lifeOf, light, type Shown, shown, startAlone } from './by-hand.ts'

describe('an observer', () => {
  test('B4 hears each snapshot after its call, and nothing once it has left', () => {
    const { ref, system } = startAlone(light)
    const [early, late]: [unknown[], unknown[]] = [[], []]
    const subscription = ref.subscribe(({ value }: Shown) => void early.push(value))
    ref.send({ type: 'next' })
    system.drain()
    ref.subscribe({ next: ({ value }: Shown) => void late.push(value) })
    ref.send({ type: 'next' })
    system.drain()
    subscription.unsubscribe()
    subscription.unsubscribe()
    ref.send({ type: 'next' })
    system.drain()
    expect([early, late]).toEqual([
      ['red', 'green'],
      ['green', 'red'],
    ])
  })

  // XState tells those who are there of a stop, and a late one nothing.
  test.each([
    { end: 'done', early: ['red', 'out', 'complete'], late: ['complete'] },
    { end: 'stopped', early: ['complete'], late: [] },
  ])('B4 that is there hears complete of an actor that is $end, a late one $late', (row) => {
    const { ref, system } = startAlone(light)
    const hearing = (heard: unknown[]) => ({
      next: ({ value }: { value: unknown }) => void heard.push(value),
      complete: () => void heard.push('complete'),
    })
    const [early, late]: [unknown[], unknown[]] = [[], []]
    ref.subscribe(hearing(early))
    if (row.end === 'stopped') ref.stop()
    else for (const type of ['next', 'off']) ref.send({ type })
    system.drain()
    ref.subscribe(hearing(late)).unsubscribe()
    expect([early, late]).toEqual([row.early, row.late])
  })

  test('B4 that comes late hears the error at once from an actor that failed', () => {
    const { ref, system } = startAlone(light)
    ref.subscribe({ error: () => undefined })
    ref.send({ type: 'break' })
    system.drain()
    const heard: unknown[] = []
    ref.subscribe({ error: (error) => void heard.push((error as Error).message) })
    expect(heard).toEqual(['a fuse'])
  })

  test('B4 of one type hears what is emitted after its call; of "*" hears every type', () => {
    const { ref, system } = startAlone(light)
    const heard: unknown[] = []
    const subscription = ref.on('turned', (event) => void heard.push(['turned', event]))
    ref.on('*', (event) => void heard.push(['*', event]))
    ref.on('other', () => void heard.push('other'))
    ref.send({ type: 'next' })
    system.drain()
    subscription.unsubscribe()
    ref.send({ type: 'next' })
    ref.send({ type: 'next' })
    system.drain()
    const event = { type: 'turned', turns: 1 }
    expect(heard).toEqual([
      ['turned', event],
      ['*', event],
      ['*', { type: 'turned', turns: 2 }],
    ])
  })

  test('F6 that throws is logged, and the next one and the actor go on', () => {
    const { ref, system, warnings } = startAlone(light)
    const heard: unknown[] = []
    const fail = () => {
      throw new Error('an observer broke')
    }
    ref.subscribe(fail)
    ref.on('turned', fail)
    ref.subscribe(({ value }: Shown) => void heard.push(value))
    ref.send({ type: 'next' })
    system.drain()
    expect([heard, shown(ref).status]).toEqual([['red'], 'active'])
    expect(warnings).toEqual(Array(2).fill('an observer failed: an observer broke'))
  })

  test('B4 that leaves while it is told is told no more; one that comes hears that telling too', () => {
    const { ref, system } = startAlone(light)
    const heard: string[] = []
    const first = ref.subscribe(() => {
      heard.push('first')
      first.unsubscribe()
      ref.subscribe(() => void heard.push('third'))
    })
    ref.subscribe(() => void heard.push('second'))
    ref.send({ type: 'next' })
    system.drain()
    expect(heard).toEqual(['first', 'second', 'third'])
    ref.send({ type: 'next' })
    system.drain()
    expect(heard.slice(3)).toEqual(['second', 'third'])
  })

  test('B4 may send: what it sends is taken in the same drain, after it was told', () => {
    const { ref, system } = startAlone(light)
    const heard: unknown[] = []
    ref.subscribe(({ value, context }: Shown) => {
      heard.push(value)
      if (Number(context.turns) < 3) ref.send({ type: 'next' })
    })
    ref.send({ type: 'next' })
    system.drain()
    expect(heard).toEqual(['red', 'green', 'red', 'green', 'red'])
  })

  test('B4 of a restarted actor goes on hearing its new lives', async () => {
    const life = lifeOf(supervisor({ children: [actor('it', light, { durability: 'none' })] }))
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    const heard: unknown[] = []
    life.ref.subscribe(({ value }: Shown) => void heard.push(value))
    await life.send('next')
    fuses.left = 1
    await life.send('blow')
    await life.send('next')
    expect(heard.filter((value) => value === 'red')).toEqual(['red', 'red'])
  })
})

test('B4 a reducer has its own kind of snapshot, and a selection tells of changes only', () => {
  const sum = fromTransition((state: number, event: { type: string; n?: number }) => {
    return state + (event.n ?? 0)
  }, 0)
  const { ref, system } = startAlone(sum)
  const even = ref.select((snapshot: { context: number }) => snapshot.context % 2 === 0)
  const heard: boolean[] = []
  even.subscribe((value) => void heard.push(value))
  for (const n of [2, 1, 2, 1]) ref.send({ type: 'add', n })
  system.drain()
  expect([shown(ref).context, even.get(), heard]).toEqual([6, true, [false, true]])
})
