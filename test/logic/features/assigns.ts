import { assign, createMachine, setup } from 'xstate'
import type { Script } from '../worlds.ts'
import { counting, plain, sayCount, sayEvent, type Ev, viewOf } from './action-kit.ts'

const two = setup({
  types: {
    context: {} as { readonly n: number; readonly text: string; readonly maybe?: string },
    events: {} as Ev,
  },
})

const spelled = two.createMachine({
  context: { n: 0, text: 'begin' },
  on: {
    add: { actions: assign(({ context }) => ({ n: context.n + 1 })) },
    take: { actions: assign({ n: ({ context }) => context.n - 1 }) },
    static: { actions: assign({ n: 100, text: 'static' }) },
    mixed: { actions: assign({ n: () => 7, text: 'mixed' }) },
    properties: { actions: assign({ n: () => 8, text: ({ context }) => `was ${context.text}` }) },
    event: { actions: assign({ n: ({ event }) => event.n ?? -1 }) },
    maybe: { actions: assign({ maybe: 'defined' }) },
    nothing: { actions: assign(() => ({})) },
  },
})

const forms: readonly Script[] = [
  {
    name: 'every spelling of assign merges what it gives into the context',
    run(world) {
      const hand = world.start(spelled)
      const types = ['add', 'add', 'take', 'static', 'mixed', 'properties', 'maybe', 'nothing']
      for (const type of [...types, 'unknown']) {
        hand.send({ type })
        world.note(type, viewOf(hand).context)
      }
    },
  },
  {
    name: 'an assign reads its event',
    run(world) {
      const hand = world.start(spelled)
      hand.send({ type: 'event', n: 30 } as Ev)
      world.note(viewOf(hand).context)
      hand.send({ type: 'event' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'an assign leaves earlier snapshots as they were',
    run(world) {
      const hand = world.start(spelled)
      const before = viewOf(hand)
      hand.send({ type: 'add' })
      world.note(before.context, viewOf(hand).context)
      world.note('same snapshot', before === viewOf(hand))
    },
  },
  {
    name: 'two actors of one machine do not share what they assign',
    run(world) {
      const [one, other] = [world.start(spelled), world.start(spelled)]
      one.send({ type: 'add' })
      one.send({ type: 'add' })
      other.send({ type: 'take' })
      world.note(viewOf(one).context, viewOf(other).context)
    },
  },
  {
    name: 'the properties of one assign all read the context before it',
    run(world) {
      const hand = world.start(
        two.createMachine({
          context: { n: 1, text: 'one' },
          on: {
            go: {
              actions: assign({
                n: ({ context }) => context.n + 1,
                text: ({ context }) => `n was ${context.n}`,
              }),
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'a machine that declares no context starts with an empty one and may fill it',
    run(world) {
      const machine = createMachine({ on: { go: { actions: assign({ n: 3 }) } } })
      const hand = world.start(machine)
      world.note(viewOf(hand).context)
      hand.send({ type: 'go' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'a context function gives each actor its own context',
    run(world) {
      const machine = setup({
        types: { context: {} as { list: number[] }, events: {} as Ev },
      }).createMachine({
        context: () => ({ list: [] }),
        on: {
          add: {
            actions: assign({ list: ({ context, event }) => [...context.list, event.n ?? 0] }),
          },
        },
      })
      const [one, other] = [world.start(machine), world.start(machine)]
      one.send({ type: 'add', n: 1 } as Ev)
      world.note(viewOf(one).context, viewOf(other).context)
    },
  },
]

const among: readonly Script[] = [
  {
    name: 'actions at the start see only the assigns before them',
    run(world) {
      const say = sayCount(world, 'count')
      world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          entry: [say, assign({ n: 1 }), say, assign({ n: 2 }), say],
          states: { a: { entry: [say, assign({ n: ({ context }) => context.n + 1 }), say] } },
        }),
      )
    },
  },
  {
    name: 'actions of a transition see only the assigns before them',
    run(world) {
      const say = (who: string) => sayCount(world, who)
      const add = counting.assign(({ context }) => ({ n: context.n + 1 }))
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          states: {
            a: {
              exit: [say('exit'), add, say('exit')],
              on: { go: { target: 'b', actions: [say('go'), add, say('go')] } },
            },
            b: { entry: [say('entry'), add, say('entry')] },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'an action between two assigns keeps its own context when it looks later',
    run(world) {
      const seen: { readonly n: number }[] = []
      const keep = ({ context }: { context: { n: number } }) => void seen.push(context)
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: { go: { actions: [assign({ n: 1 }), keep, assign({ n: 2 }), keep] } },
        }),
      )
      hand.send({ type: 'go' })
      world.note(seen)
    },
  },
  {
    name: 'assigns at the start show in the first snapshot, with those of a first always',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          entry: assign({ n: 1 }),
          states: {
            a: {
              entry: assign({ n: ({ context }) => context.n * 10 }),
              always: { target: 'b', actions: assign({ n: ({ context }) => context.n + 5 }) },
            },
            b: {},
          },
        }),
      )
      world.note(viewOf(hand).value, viewOf(hand).context)
    },
  },
  {
    name: 'an assign that throws fails the machine and changes nothing',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          initial: 'a',
          states: {
            a: {
              on: {
                go: {
                  target: 'b',
                  actions: [
                    assign({ n: 2 }),
                    assign(() => {
                      throw new Error('no number')
                    }),
                  ],
                },
              },
            },
            b: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      const { status, value, context } = viewOf(hand)
      world.note(status, value, context)
    },
  },
  {
    name: 'a throwing action leaves state and context as they were and skips what follows it',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          initial: 'a',
          states: {
            a: {
              on: {
                go: {
                  target: 'b',
                  actions: [
                    sayCount(world, 'before'),
                    assign({ n: 2 }),
                    () => {
                      throw new Error('no action')
                    },
                    sayCount(world, 'after'),
                  ],
                },
              },
            },
            b: { entry: sayCount(world, 'entry') },
          },
        }),
      )
      hand.send({ type: 'go' })
      const { status, value, context } = viewOf(hand)
      world.note(status, value, context)
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an action that throws at the start fails the machine',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          entry: [
            sayEvent(world, 'first'),
            () => {
              throw new Error('no start')
            },
          ],
        }),
      )
      world.note(viewOf(hand).status)
    },
  },
]

export const assignScripts: readonly Script[] = [...forms, ...among]
