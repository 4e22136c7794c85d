import { actor, agent, type Event } from 'ambit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  assign,
  emit,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromTransition,
  sendTo,
  setup,
  spawnChild,
  type AnyActorLogic,
  type AnyStateMachine,
} from 'xstate'
import { failing } from '../support/faulty-journal.ts'
import { refusal } from '../support/refusal.ts'
import { gate } from '../support/running.ts'
import { pastOf, shown, type Life } from './by-hand.ts'

/** What the outside world saw. */
let world: string[] = []
/** How often `trip` still fails. */
let trips = 1
let back: (event: Event) => void = () => undefined

beforeEach(() => {
  world = []
  trips = 1
  back = () => undefined
})

const caller = fromCallback<{ type: string }>(({ sendBack, receive }) => {
  world.push('starts')
  back = sendBack
  sendBack({ type: 'hello' })
  receive(({ type }) => void world.push(`hears ${type}`))
  return () => void world.push('ends')
})

const listening = setup({
  types: { context: {} as { heard: string[] } },
  actors: { caller },
  actions: {
    keep: assign({ heard: ({ context, event }) => [...context.heard, event.type] }),
    pass: sendTo('caller', { type: 'passed' }),
    break: () => {
      world.push('breaks')
      throw new Error('a broken action')
    },
    note: () => void world.push('noted'),
    trip: assign(() => {
      if (trips-- > 0) throw new Error('tripped')
      return {}
    }),
  },
}).createMachine({
  context: { heard: [] },
  initial: 'idle',
  states: {
    idle: { on: { call: 'calling', fail: { actions: ['break', 'keep', 'note'] } } },
    calling: {
      invoke: { src: 'caller', id: 'caller' },
      on: {
        leave: 'idle',
        trip: { actions: 'trip' },
        pass: { actions: ['pass', 'keep'] },
        hello: { actions: 'keep' },
        more: { actions: 'keep' },
      },
    },
  },
})

const heardBy = (life: Pick<Life, 'ref'>) => shown(life.ref).context.heard

describe('a callback of a journaled actor', () => {
  test('S3 starts after the commit, and what it sends back is a turn of its own', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    const door = gate()
    past.journal.beforeCommit = () => door.opened
    await life.send('call')
    expect([world, heardBy(life)]).toEqual([[], []])
    past.journal.beforeCommit = () => undefined
    door.open()
    await life.settle()
    expect([world, heardBy(life)]).toEqual([['starts'], ['hello']])
    const turns = await life.system.history({ address: '/it' })
    const records = turns.map(({ record }) => JSON.parse(record) as { message: { body: Event } })
    const types = records.map(
      ({ message: { body } }) => (body.event as Event | undefined)?.type ?? body.type,
    )
    expect(types).toEqual(['ambit.start', 'call', 'hello'])
  })

  test('S3 of a turn that is committed at the second try is started once', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    past.journal.beforeCommit = failing(1)
    await life.send('call')
    await life.advance(1000)
    expect([world, heardBy(life)]).toEqual([['starts'], ['hello']])
  })

  test('S3 of a turn that was never committed was never started, and its events do not exist', async () => {
    const past = pastOf('memory', 'crash', actor('it', listening))
    const life = await past.begin()
    past.journal.beforeCommit = () => new Promise(() => undefined)
    await life.send('call')
    await past.end()
    past.journal.beforeCommit = () => undefined
    const after = await past.begin()
    await after.advance(1000)
    expect(world).toEqual([])
    expect(shown(after.ref)).toMatchObject({ value: 'idle', context: { heard: [] } })
  })

  test('S3 hears what a turn sends it once that turn is committed, and only then', async () => {
    const past = pastOf('memory', 'crash', actor('it', listening))
    const life = await past.begin()
    await life.send('call')
    await life.send('pass')
    expect(world).toEqual(['starts', 'hears passed'])
    past.journal.beforeCommit = () => new Promise(() => undefined)
    await life.send('pass')
    expect(world).toEqual(['starts', 'hears passed'])
    await past.end()
    past.journal.beforeCommit = () => undefined
    const after = await past.begin()
    expect(heardBy(after)).toEqual(['hello', 'pass', 'hello'])
    expect(world).toEqual(['starts', 'hears passed', 'starts'])
  })

  test('S3 is heard once, also when the commit of what it sent fails at first', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    await life.send('call')
    past.journal.beforeCommit = failing(1)
    back({ type: 'more' })
    await life.settle()
    await life.advance(1000)
    expect([world, heardBy(life)]).toEqual([['starts'], ['hello', 'more']])
  })

  test('S3 that has ended is not heard any more', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    await life.send('call')
    await life.send('leave')
    expect(world).toEqual(['starts', 'ends'])
    back({ type: 'more' })
    await life.settle()
    await life.send('call')
    expect(heardBy(life)).toEqual(['hello', 'hello'])
  })

  test('S3 of a state that was left in the same drain is never started', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    life.ref.send({ type: 'call' })
    life.ref.send({ type: 'leave' })
    await life.settle()
    expect([world, heardBy(life)]).toEqual([[], []])
  })

  test('S3 goes on through a restart of its actor, hears and is heard', async () => {
    const past = pastOf('memory', 'stop', actor('it', listening))
    const life = await past.begin()
    await life.send('call')
    await life.send('trip')
    expect(life.warnings).toEqual(['actor failed: tripped'])
    await life.send('pass')
    back({ type: 'more' })
    await life.settle()
    expect(world).toEqual(['starts', 'hears passed'])
    expect(heardBy(life)).toEqual(['hello', 'pass', 'more'])
    await life.send('leave')
    expect(world.at(-1)).toBe('ends')
  })
})

describe('a custom action of a journaled actor', () => {
  test('F6 that throws after the commit is logged and changes nothing', async () => {
    const past = pastOf('memory', 'crash', actor('it', listening))
    const life = await past.begin()
    await life.send('fail')
    expect(world).toEqual(['breaks', 'noted'])
    expect(shown(life.ref)).toMatchObject({ status: 'active', context: { heard: ['fail'] } })
    expect(life.warnings.filter((line) => line.includes('a broken action'))).toHaveLength(1)
    expect(life.system.alarms).toEqual([])
    await past.end()
    const after = await past.begin()
    expect([heardBy(after), world.length]).toEqual([['fail'], 2])
  })

  test('B5 runs after the commit, and not for a turn that was never committed', async () => {
    const past = pastOf('memory', 'crash', actor('it', listening))
    const life = await past.begin()
    past.journal.beforeCommit = () => new Promise(() => undefined)
    await life.send('fail')
    await past.end()
    past.journal.beforeCommit = () => undefined
    const after = await past.begin()
    expect([world, heardBy(after)]).toEqual([[], []])
  })

  test('T2 an event is emitted after the commit', async () => {
    const machine = setup({}).createMachine({ on: { go: { actions: emit({ type: 'gone' }) } } })
    const past = pastOf('memory', 'stop', actor('it', machine))
    const life = await past.begin()
    life.ref.on('gone', () => void world.push('gone'))
    const door = gate()
    past.journal.beforeCommit = () => door.opened
    await life.send('go')
    expect(world).toEqual([])
    door.open()
    await life.settle()
    expect(world).toEqual(['gone'])
  })
})

describe('an agent', () => {
  const silent = { subscribe: () => ({ unsubscribe: () => undefined }) } as never
  const refused: [string, AnyActorLogic][] = [
    ['a callback', caller],
    ['an observable', fromObservable(() => silent)],
    ['an event observable', fromEventObservable(() => silent)],
  ]

  test.each(refused)('E9 that invokes %s is refused, with the remedy', (_, logic) => {
    const machine = setup({ actors: { outside: logic } }).createMachine({
      invoke: { src: 'outside' },
    } as never)
    const inner = setup({ actors: { machine } }).createMachine({ invoke: { src: 'machine' } })
    const spawning = setup({ actors: { outside: logic } }).createMachine({
      entry: spawnChild('outside' as never),
    })
    for (const each of [machine, inner, spawning] as AnyStateMachine[]) {
      const { code, message } = refusal(() => agent('it', each))
      expect(code).toBe('AMBIT_UNGOVERNED_EFFECT')
      expect(message).toContain('Agent "it" invokes "outside"')
      expect(message).toContain('readOnly(...)')
    }
  })

  test('E9 may invoke a reducer and emit', async () => {
    const sum = fromTransition(
      (state: { sum: number }, event: { type: string; n?: number }) => ({
        sum: state.sum + (event.n ?? 0),
      }),
      { sum: 0 },
    )
    const machine = setup({ actors: { sum } }).createMachine({
      invoke: { src: 'sum', id: 'sum' },
      on: { add: { actions: [sendTo('sum', ({ event }) => event), emit({ type: 'added' })] } },
    })
    const past = pastOf('memory', 'crash', agent('it', machine))
    const life = await past.begin()
    life.ref.on('added', () => void world.push('added'))
    await life.send({ type: 'add', n: 3 })
    await past.end()
    const { ref } = await past.begin()
    const { children } = shown(ref) as {
      children: Record<string, { getSnapshot(): unknown }>
    }
    expect(children.sum?.getSnapshot()).toMatchObject({ context: { sum: 3 } })
    expect(world).toEqual(['added'])
  })
})
