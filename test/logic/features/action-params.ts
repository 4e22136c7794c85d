import {
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
} from 'xstate'
import type { Script, World } from '../worlds.ts'
import { plain, sayEvent, type Ev, viewOf } from './action-kit.ts'

const countOf = ({ context }: { context: { n: number } }) => ({ n: context.n })
const numberOf = ({ event }: { event: Ev }) => ({ n: event.n ?? 0 })

/** A setup whose one action notes its params. */
const noting = (world: World) =>
  setup({
    types: { context: {} as { n: number }, events: {} as Ev },
    actions: {
      say: (_, params: unknown) => world.note('params', params),
      sayMore: ({ context, event }, params: unknown) =>
        world.note(context.n, event.type, 'params', params),
      set: assign((_, params: { n: number }) => ({ n: params.n })),
      add: assign({ n: ({ context }, params: { n: number }) => context.n + params.n }),
    },
  })

const given: readonly Script[] = [
  {
    name: 'a named action gets the params it is referenced with',
    run(world) {
      world.start(
        noting(world).createMachine({
          context: { n: 0 },
          initial: 'a',
          entry: { type: 'say', params: { what: 'root' } },
          states: {
            a: {
              entry: [
                { type: 'say', params: 42 },
                { type: 'say', params: [1, 2] },
              ],
            },
          },
        }),
      )
    },
  },
  {
    name: 'a named action without params gets undefined',
    run(world) {
      const hand = world.start(
        createMachine(
          { entry: ['say', { type: 'say' }], on: { go: { actions: 'say' } } },
          { actions: { say: (_, params) => world.note('params', params === undefined) } },
        ),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'inline actions and assigns get undefined for params',
    run(world) {
      const hand = world.start(
        createMachine({
          context: { seen: 'nothing' },
          entry: (_, params) => world.note('entry', typeof params),
          on: {
            go: {
              actions: [
                (_, params) => world.note('go', typeof params),
                assign({ seen: (_, params) => `params are ${typeof params}` }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'params that are a function read the context and the event of their moment',
    run(world) {
      const params = ({ context, event }: { context: { n: number }; event: Ev }) => ({
        context: context.n,
        event: event.n ?? event.type,
      })
      const say = { type: 'say' as const, params }
      const hand = world.start(
        noting(world).createMachine({
          context: { n: 0 },
          initial: 'a',
          entry: say,
          states: {
            a: { exit: say, on: { go: { target: 'b', actions: [say, assign({ n: 7 }), say] } } },
            b: { entry: say },
          },
        }),
      )
      hand.send({ type: 'go', n: 77 } as Ev)
    },
  },
  {
    name: 'a named assign gets params in both of its spellings',
    run(world) {
      const hand = world.start(
        noting(world).createMachine({
          context: { n: 0 },
          entry: { type: 'set', params: { n: 10 } },
          on: {
            add: { actions: { type: 'add', params: numberOf } },
            twice: {
              actions: [
                { type: 'add', params: countOf },
                { type: 'sayMore', params: countOf },
              ],
            },
          },
        }),
      )
      world.note(viewOf(hand).context)
      hand.send({ type: 'add', n: 5 } as Ev)
      hand.send({ type: 'twice' })
    },
  },
]

/** Built-in actions by name: their expressions get the params. */
const builtIns = (world: World) =>
  setup({
    types: { context: {} as { n: number }, events: {} as Ev, emitted: {} as Ev },
    actors: { kid: plain.createMachine({ on: { '*': { actions: sayEvent(world, 'kid') } } }) },
    delays: { wait: (_, params) => (params as unknown as { ms: number }).ms },
    actions: {
      raiseIt: raise((_, params: { n: number }) => ({ type: 'raised', n: params.n })),
      raiseLater: raise((_, params: { ms: number }) => ({ type: 'raised', n: params.ms }), {
        delay: (_, params) => params.ms,
        id: 'later',
      }),
      raiseNamed: raise((_, params: { ms: number }) => ({ type: 'raised', n: params.ms }), {
        delay: 'wait',
      }),
      cancelIt: cancel((_, params: { id: string }) => params.id),
      sendIt: sendTo(
        (_, params: { to: string; n: number }) => params.to,
        (_, params) => ({ type: 'sent', n: params.n }),
      ),
      emitIt: emit((_, params: { n: number }) => ({ type: 'emitted', n: params.n })),
      logIt: log((_, params: { n: number }) => `logged ${params.n}`, 'label'),
      many: enqueueActions(({ enqueue }, params: { n: number }) => {
        for (let n = 0; n < params.n; n++) enqueue.raise({ type: 'raised', n })
      }),
    },
  })

const builtIn: readonly Script[] = [
  {
    name: 'named raise, sendTo, emit, log and enqueueActions get params in their expressions',
    run(world) {
      const hand = world.start(
        builtIns(world).createMachine({
          context: { n: 0 },
          entry: spawnChild('kid', { id: 'kid' }),
          on: {
            raise: { actions: { type: 'raiseIt', params: { n: 1 } } },
            send: { actions: { type: 'sendIt', params: { to: 'kid', n: 2 } } },
            emit: { actions: { type: 'emitIt', params: numberOf } },
            log: { actions: { type: 'logIt', params: { n: 4 } } },
            many: { actions: { type: 'many', params: { n: 3 } } },
            raised: { actions: sayEvent(world, 'parent') },
          },
        } as never),
      )
      hand.ref.on('*', (event: Ev) => world.note('heard', event))
      for (const type of ['raise', 'send', 'emit', 'log', 'many']) hand.send({ type, n: 3 } as Ev)
    },
  },
  {
    name: 'delays and ids of named actions come from their params',
    run(world) {
      const hand = world.start(
        builtIns(world).createMachine({
          context: { n: 0 },
          on: {
            later: { actions: { type: 'raiseLater', params: { ms: 10 } } },
            named: { actions: { type: 'raiseNamed', params: { ms: 20 } } },
            cancel: { actions: { type: 'cancelIt', params: { id: 'later' } } },
            raised: { actions: sayEvent(world, 'taken') },
          },
        } as never),
      )
      for (const type of ['later', 'named']) hand.send({ type })
      hand.advance(9)
      world.note('9 ms')
      hand.advance(1)
      world.note('10 ms')
      hand.advance(10)
      world.note('20 ms')
      hand.send({ type: 'later' })
      hand.send({ type: 'cancel' })
      hand.advance(50)
      world.note('cancelled')
    },
  },
]

const references: readonly Script[] = [
  {
    name: 'an action nobody implemented is passed over',
    run(world) {
      const hand = world.start(
        createMachine(
          {
            initial: 'a',
            entry: ['known', 'unknown', { type: 'unknown', params: { n: 1 } }, 'known'],
            states: { a: { on: { go: { target: 'b', actions: ['unknown', 'known'] } } }, b: {} },
          },
          { actions: { known: sayEvent(world, 'known') } },
        ),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).value, viewOf(hand).status)
    },
  },
  {
    name: 'provide replaces the actions it names and keeps the others',
    run(world) {
      const machine = noting(world).createMachine({
        context: { n: 0 },
        entry: [
          { type: 'say', params: 'said' },
          { type: 'set', params: { n: 3 } },
          { type: 'sayMore', params: 'more' },
        ],
      })
      world.start(machine)
      world.note('provided')
      world.start(
        machine.provide({
          actions: {
            say: (_, params) => world.note('instead', params),
            set: assign((_, params) => ({ n: params.n * 100 })),
          },
        }),
      )
    },
  },
  {
    name: 'an inline action is not confused with an implementation of its name',
    run(world) {
      const named = function say() {
        world.note('inline')
      }
      const hand = world.start(
        createMachine(
          { context: { n: 0 }, entry: [named, assign({ n: 1 })] },
          {
            actions: {
              say: () => world.note('implementation'),
              'xstate.assign': () => world.note('not this'),
            },
          },
        ),
      )
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'an action gets context, event, self and system',
    run(world) {
      const kid = setup({
        types: { context: {} as { n: number }, events: {} as Ev },
      }).createMachine({
        context: { n: 4 },
        entry: ({ context, event, self, system }) => {
          world.note(context, event.type, self.id, system.get('the kid') === self)
        },
      })
      const parent = plain.createMachine({
        on: { go: { actions: spawnChild(kid, { id: 'kid', systemId: 'the kid' } as never) } },
      })
      world.start(parent).send({ type: 'go' })
    },
  },
]

const made: readonly Script[] = [
  {
    name: 'a setup makes actions of every kind for its own machines',
    run(world) {
      const kit = setup({
        types: { context: {} as { n: number }, events: {} as Ev, emitted: {} as Ev },
        actors: { kid: plain.createMachine({ on: { '*': { actions: sayEvent(world, 'kid') } } }) },
      })
      const hand = world.start(
        kit.createMachine({
          context: { n: 0 },
          entry: [
            kit.createAction(({ context, event }) => world.note('made', context.n, event.type)),
            kit.assign({ n: 1 }),
            kit.spawnChild('kid', { id: 'kid' }),
            kit.raise({ type: 'raised' }, { delay: 10, id: 'one' }),
            kit.raise({ type: 'raised' }, { delay: 20 }),
            kit.cancel('one'),
          ],
          on: {
            go: {
              actions: [
                kit.sendTo('kid', { type: 'hello' } as never),
                kit.log(({ context }) => context.n),
                kit.emit({ type: 'told' }),
                kit.enqueueActions(({ enqueue }) => enqueue.assign({ n: 2 })),
              ],
            },
            raised: { actions: [kit.stopChild('kid'), sayEvent(world, 'took')] },
          },
        }),
      )
      hand.ref.on('told', (event: Ev) => world.note('heard', event))
      hand.send({ type: 'go' })
      for (const ms of [10, 10]) hand.advance(ms)
      world.note(viewOf(hand).context, Object.keys(viewOf(hand).children))
    },
  },
]

export const actionParamScripts: readonly Script[] = [...given, ...builtIn, ...references, ...made]
