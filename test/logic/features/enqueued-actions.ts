import {
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  log,
  not,
  or,
  raise,
  setup,
  stateIn,
} from 'xstate'
import type { Script, World } from '../worlds.ts'
import { counting, sayCount, sayer, sayEvent, type Ev, viewOf } from './action-kit.ts'

/** Actions and guards by name. */
const named = (world: World) =>
  setup({
    types: { context: {} as { readonly n: number }, events: {} as Ev },
    actions: {
      one: () => world.note('one'),
      two: ({ context, event }) => world.note('two', context.n, event.type),
      say: (_, params: { what: string }) => world.note('said', params.what),
      set: assign((_, params: { n: number }) => ({ n: params.n })),
    },
    guards: {
      isPositive: ({ context }) => context.n > 0,
      isOver: ({ context }, params: { limit: number }) => context.n > params.limit,
      hasNumber: ({ event }) => event.n !== undefined,
    },
  })

const enqueued: readonly Script[] = [
  {
    name: 'enqueued actions run in order and as often as they are enqueued',
    run(world) {
      const kit = named(world)
      world.start(
        kit.createMachine({
          context: { n: 4 },
          entry: kit.enqueueActions(({ enqueue }) => {
            enqueue('one')
            enqueue({ type: 'two' })
            enqueue('one')
            enqueue({ type: 'say', params: { what: 'params' } })
            enqueue(({ context, event }) => world.note('inline', context.n, event.type))
          }),
        }),
      )
    },
  },
  {
    name: 'enqueued actions run where enqueueActions stands among the others',
    run(world) {
      const say = sayCount(world, 'count')
      const add = counting.assign({ n: ({ context }) => context.n + 1 })
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: [
                say,
                enqueueActions(({ enqueue }) => {
                  enqueue(add)
                  enqueue(say)
                  enqueue.assign({ n: ({ context }) => context.n * 10 })
                  enqueue(
                    counting.enqueueActions(({ enqueue: deeper, context }) => {
                      deeper.assign({ n: context.n + 5 })
                      deeper(say)
                    }),
                  )
                  enqueue(add)
                }),
                say,
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'the collector reads the context before what it enqueues',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          entry: [
            assign({ n: 2 }),
            enqueueActions(({ context, enqueue, check }) => {
              enqueue.assign({ n: 50 })
              const isBig = check(({ context: seen }) => seen.n > 10)
              enqueue(() => world.note('context', context.n, 'big', isBig))
            }),
          ],
        }),
      )
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'the collector branches on its event and loops over it',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: enqueueActions(({ event, enqueue }) => {
                if (event.n === undefined) enqueue(sayer(world)('no number'))
                for (let n = 0; n < (event.n ?? 0); n++) enqueue.raise({ type: 'raised', n })
              }),
            },
            raised: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'go', n: 3 } as Ev)
    },
  },
  {
    name: 'check evaluates named, parametrised, inline and combined guards',
    run(world) {
      const kit = named(world)
      const hand = world.start(
        kit.createMachine({
          context: { n: 5 },
          initial: 'a',
          states: { a: { on: { move: 'b' } }, b: {} },
          on: {
            go: {
              actions: kit.enqueueActions(({ enqueue, check }) => {
                const seen = [
                  check('isPositive'),
                  check({ type: 'isOver', params: { limit: 4 } }),
                  check({ type: 'isOver', params: { limit: 5 } }),
                  check(({ event }) => event.n === 7),
                  check(and(['isPositive', 'hasNumber'])),
                  check(or([not('isPositive'), 'hasNumber'])),
                  check(not('hasNumber')),
                  check(stateIn('b')),
                ]
                enqueue(() => world.note(seen))
              }),
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'go', n: 7 } as Ev)
      hand.send({ type: 'move' })
      hand.send({ type: 'go', n: 8 } as Ev)
    },
  },
  {
    name: 'the params of an enqueued action are worked out when its turn comes',
    run(world) {
      const kit = named(world)
      world.start(
        kit.createMachine({
          context: { n: 1 },
          entry: kit.enqueueActions(({ enqueue }) => {
            const say = {
              type: 'say' as const,
              params: ({ context }: { context: { n: number } }) => ({ what: `n is ${context.n}` }),
            }
            enqueue(say)
            enqueue({ type: 'set', params: { n: 9 } })
            enqueue(say)
          }),
        }),
      )
    },
  },
  {
    name: 'a named enqueueActions gets its params',
    run(world) {
      const kit = setup({
        types: { context: {} as { n: number }, events: {} as Ev },
        actions: {
          repeat: enqueueActions(({ enqueue }, params: { times: number; what: string }) => {
            for (let n = 0; n < params.times; n++) enqueue(sayer(world)(params.what))
          }),
        },
      })
      world.start(
        kit.createMachine({
          context: { n: 2 },
          entry: [
            { type: 'repeat', params: { times: 3, what: 'thrice' } },
            { type: 'repeat', params: ({ context }) => ({ times: context.n, what: 'twice' }) },
            { type: 'repeat', params: { times: 0, what: 'never' } },
          ],
        }),
      )
    },
  },
]

/** Notes what its parent sends it. */
const kid = (world: World) => createMachine({ on: { '*': { actions: sayEvent(world, 'kid') } } })

const builtIn: readonly Script[] = [
  {
    name: 'enqueue spawns a child, sends to it and stops it',
    run(world) {
      const hand = world.start(
        createMachine({
          on: {
            go: {
              actions: enqueueActions(({ enqueue }) => {
                enqueue.spawnChild(kid(world), { id: 'kid' })
                enqueue.sendTo('kid', { type: 'hello' })
                enqueue.sendTo('kid', { type: 'later' }, { delay: 10, id: 'later' })
                enqueue.sendTo('kid', { type: 'cancelled' }, { delay: 10, id: 'cancelled' })
                enqueue.cancel('cancelled')
              }),
            },
            end: { actions: enqueueActions(({ enqueue }) => enqueue.stopChild('kid')) },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(Object.keys(viewOf(hand).children))
      hand.advance(10)
      hand.send({ type: 'end' })
      world.note(Object.keys(viewOf(hand).children))
    },
  },
  {
    name: 'enqueue raises late, cancels, emits, logs and sends to the parent',
    run(world) {
      const child = createMachine({
        entry: enqueueActions(({ enqueue }) => {
          enqueue.raise({ type: 'due' }, { delay: 10 })
          enqueue.raise({ type: 'never' }, { delay: 5, id: 'never' })
          enqueue(cancel('never'))
          enqueue(log('logged', 'kid'))
          enqueue.sendParent({ type: 'fromKid' })
        }),
        on: { '*': { actions: [sayEvent(world, 'kid'), emit({ type: 'told' })] } },
      })
      const hand = world.start(
        createMachine({
          invoke: { src: child, id: 'kid' },
          on: { fromKid: { actions: sayEvent(world, 'parent') } },
        }),
      )
      const { kid } = viewOf(hand).children
      kid!.on('told', (event: Ev) => world.note('heard', event.type))
      hand.advance(10)
    },
  },
  {
    name: 'built-in actions may be enqueued as they are',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: enqueueActions(({ enqueue }) => {
                enqueue(assign({ n: 3 }))
                enqueue(raise(({ context }) => ({ type: 'raised', n: context.n })))
                enqueue(log(({ context }) => context.n))
              }),
            },
            raised: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'the collector knows its own actor and the system',
    run(world) {
      const child = createMachine({
        entry: enqueueActions(({ self, system, enqueue }) => {
          const facts = [self.id, system.get('the kid') === self]
          enqueue(() => world.note(facts))
          enqueue.sendTo(self, { type: 'toMyself' })
        }),
        on: { toMyself: { actions: sayEvent(world, 'kid') } },
      })
      world.start(createMachine({ invoke: { src: child, id: 'kid', systemId: 'the kid' } }))
    },
  },
  {
    name: 'a collector that throws fails the machine and nothing it enqueued runs',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: enqueueActions(({ enqueue }) => {
                enqueue(sayer(world)('never'))
                throw new Error('no collection')
              }),
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).status)
    },
  },
]

export const enqueuedActionScripts: readonly Script[] = [...enqueued, ...builtIn]
