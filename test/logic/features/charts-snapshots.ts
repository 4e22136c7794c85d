import { and, stateIn } from 'xstate'
import type { Script, World } from '../worlds.ts'
import {
  chartScript,
  context,
  createChart,
  inOrder,
  play,
  say,
  snapshotOf,
  told,
} from './charts-base.ts'

const lights = (world: World) =>
  createChart(world).createMachine({
    id: 'light',
    context,
    initial: 'green',
    meta: { root: true },
    tags: 'lamp',
    states: {
      green: { tags: ['go', 'day'], meta: ['arr', { x: 1 }] as never, on: { next: 'yellow' } },
      yellow: { tags: 'go', on: { next: 'red' } },
      red: {
        tags: 'stop',
        meta: { redData: 'r' },
        initial: 'walk',
        on: { next: 'green', count: { actions: 'add' } },
        states: {
          walk: { tags: 'legs', meta: { walkData: 'w' }, on: { count: 'wait' } },
          wait: { tags: ['legs', 'stop'] },
        },
      },
    },
  })

const events = ['next', 'next', 'count', 'count', 'next']

const asked: readonly Script[] = [
  {
    name: 'tags are those of all active states, each once',
    run(world) {
      const hand = play(world, lights(world))
      const tags = () => [...snapshotOf(hand).tags].sort()
      world.note(tags())
      for (const type of events) {
        hand.send({ type })
        const { hasTag } = snapshotOf(hand)
        world.note(type, tags(), typeof hasTag)
        world.note(['lamp', 'go', 'stop', 'legs'].map((tag) => snapshotOf(hand).hasTag(tag)))
      }
    },
  },
  {
    name: 'meta is told by the id of each active state that has some',
    run(world) {
      const hand = play(world, lights(world))
      world.note(inOrder(snapshotOf(hand).getMeta()))
      for (const type of events) {
        hand.send({ type })
        world.note(type, inOrder(snapshotOf(hand).getMeta()))
      }
    },
  },
  {
    name: 'matches takes a name, a path or a value',
    run(world) {
      const hand = play(world, lights(world))
      const ways = ['green', 'red', 'red.walk', { red: 'walk' }, { red: {} }, { green: 'x' }]
      const note = () => world.note(ways.map((way) => snapshotOf(hand).matches(way as never)))
      note()
      for (const type of events) {
        hand.send({ type })
        note()
      }
    },
  },
  {
    name: 'matches of regions asks for some or all of them',
    run(world) {
      const machine = createChart(world).createMachine({
        context,
        type: 'parallel',
        states: {
          a: { initial: 'a1', states: { a1: { on: { go: 'a2' } }, a2: {} } },
          b: { initial: 'b1', states: { b1: { initial: 'x', states: { x: {} } } } },
        },
      })
      const hand = play(world, machine, ['go'])
      const ways = ['a', { a: 'a2' }, { a: 'a1' }, { a: 'a2', b: 'b1' }, { b: { b1: 'x' } }]
      world.note(ways.map((way) => snapshotOf(hand).matches(way as never)))
    },
  },
]

const able = (world: World) =>
  createChart(world).createMachine({
    context,
    initial: 'a',
    on: { root: { actions: say('root') }, '*': { guard: 'isBig', actions: say('star') } },
    states: {
      a: {
        on: {
          same: 'a',
          act: { actions: say('acted') },
          assign: { actions: 'add' },
          move: 'b',
          guarded: { guard: 'isBig', target: 'b' },
          one: { guard: 'isOne', target: 'b' },
          forbidden: undefined,
          bare: {},
          none: { actions: [] },
        },
      },
      b: { always: { guard: 'never', target: 'a' } },
    },
  })

const can: readonly Script[] = [
  {
    name: 'can says whether an event would do something, and does nothing',
    run(world) {
      const hand = play(world, able(world))
      const types = ['same', 'act', 'assign', 'move', 'guarded', 'one', 'forbidden', 'bare']
      const ask = (more: readonly string[]) => {
        for (const type of [...types, ...more]) {
          world.note(type, snapshotOf(hand).can({ type }))
        }
      }
      ask(['none', 'root', 'unknown'])
      world.note('with n', snapshotOf(hand).can({ type: 'one', n: 1 }))
      for (const type of ['assign', 'assign', 'assign']) hand.send({ type })
      ask(['unknown'])
    },
  },
  {
    name: 'can of regions is true if one of them would act',
    run(world) {
      const machine = createChart(world).createMachine({
        context,
        type: 'parallel',
        states: {
          a: { on: { e: undefined, f: undefined } },
          b: { initial: 'b1', states: { b1: { on: { e: 'b2' } }, b2: {} } },
        },
      })
      const hand = play(world, machine)
      const ask = () => world.note(['e', 'f', 'g'].map((type) => snapshotOf(hand).can({ type })))
      ask()
      hand.send({ type: 'e' })
      ask()
    },
  },
  {
    name: 'can asks guards with stateIn about the snapshot at hand, also an old one',
    run(world) {
      const machine = createChart(world).createMachine({
        context,
        type: 'parallel',
        states: {
          a: { initial: 'a1', states: { a1: { on: { go: 'a2' } }, a2: {} } },
          b: { on: { e: { guard: and([stateIn({ a: 'a2' })]), actions: say('e') } } },
        },
      })
      const hand = play(world, machine)
      const before = snapshotOf(hand)
      hand.send({ type: 'go' })
      world.note(before.can({ type: 'e' }), snapshotOf(hand).can({ type: 'e' }))
    },
  },
]

const whole: readonly Script[] = [
  {
    name: 'a snapshot that was taken stays as it was',
    run(world) {
      const hand = play(world, lights(world))
      const old = snapshotOf(hand)
      for (const type of ['next', 'next', 'count', 'count']) hand.send({ type })
      world.note(old.value, old.context, [...old.tags].sort(), old.matches('green'), old.status)
    },
  },
  {
    name: 'an event that nobody hears leaves the snapshot as it is',
    run(world) {
      const hand = play(world, lights(world))
      hand.ref.subscribe(({ value }: { value: unknown }) => world.note('next', value))
      const before = snapshotOf(hand)
      hand.send({ type: 'unknown' })
      const after = snapshotOf(hand)
      world.note(before.value, after.value, before.context === after.context)
    },
  },
  {
    name: 'JSON of a snapshot has its value, context, status, tags and history',
    run(world) {
      const hand = play(world, lights(world), ['next', 'next'])
      const json = JSON.parse(JSON.stringify(snapshotOf(hand))) as Record<string, unknown> & {
        tags: string[]
      }
      const { value, context, status, tags, historyValue, children } = json
      world.note({ value, context, status, tags: [...tags].sort(), historyValue, children })
    },
  },
  {
    name: 'a state may be resolved from part of its value',
    run(world) {
      const machine = lights(world)
      const start = { value: 'red', context: { n: 4, seen: [] } }
      const resolved = machine.resolveState(start as never)
      world.note(resolved.value, resolved.context, resolved.status, [...resolved.tags].sort())
      world.note(resolved.can({ type: 'count' }), resolved.matches({ red: 'walk' }))
    },
  },
]

const made: readonly Script[] = [
  chartScript(
    'the context is made from the input, anew for each actor',
    (chart) =>
      chart.createMachine({
        context: ({ input }) => ({ n: input.n ?? -1, seen: [] }),
        on: { add: { actions: 'add' } },
      }),
    ['add'],
    { n: 41 },
  ),
  chartScript('a context function that throws fails the machine', (chart) =>
    chart.createMachine({
      context: () => {
        throw new Error('no context')
      },
    }),
  ),
  {
    name: 'two actors of one machine do not share anything',
    run(world) {
      const machine = lights(world)
      const one = play(world, machine, ['next', 'next', 'count'])
      play(world, machine, ['next'])
      play(world, machine)
      world.note(snapshotOf(one).value)
    },
  },
  {
    name: 'provide replaces actions and guards and leaves the first machine alone',
    run(world) {
      const first = createChart(world).createMachine({
        context,
        on: {
          go: [{ guard: 'never', actions: say('passed') }, { actions: ['add', say('refused')] }],
        },
      })
      const second = first.provide({
        actions: { say: (_, what) => world.note('provided', what) },
        guards: { never: () => true },
      })
      play(world, first, ['go'])
      play(world, second, ['go'])
      play(world, first, ['go'])
    },
  },
  chartScript(
    'an action that is not there is passed over',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: { target: 'b', actions: ['missing' as never, say('then')] } } },
          b: told('b'),
        },
      }),
    ['go'],
  ),
]

export const snapshotScripts: readonly Script[] = [...asked, ...can, ...whole, ...made]
