import { createMachine, fromCallback, sendTo, setup, type AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { sayValue, sayer, viewOf, type Ev } from './action-kit.ts'

const fails = (): never => {
  throw new Error('it threw')
}

const kit = setup({
  types: { context: {} as { readonly n: number }, events: {} as Ev, emitted: {} as Ev },
  actors: { idle: fromCallback<Ev, { n: number }>(() => undefined) },
  delays: { broken: fails },
  actions: { broken: fails, any: (_, _params: unknown) => undefined },
  guards: { broken: fails },
})

/** Every place of an action where a function of the user runs. */
const places = {
  'an inline action': fails,
  'a named action': 'broken',
  'an assign': kit.assign(fails),
  'a property of an assign': kit.assign({ n: fails }),
  'a raised event': kit.raise(fails),
  'the delay of a raised event': kit.raise({ type: 'due' }, { delay: fails }),
  'a delay by name': kit.raise({ type: 'due' }, { delay: 'broken' }),
  'the event of a send': kit.sendTo('kid', fails),
  'the target of a send': kit.sendTo(fails as () => AnyActorRef, { type: 'hello' }),
  'an emitted event': kit.emit(fails),
  'a logged value': kit.log(fails),
  'the id of a cancelled event': kit.cancel(fails),
  'the id of a stopped child': kit.stopChild(fails),
  'the input of a spawned child': kit.spawnChild('idle', { input: fails }),
  'the params of an action': { type: 'any', params: fails },
  'a collector': kit.enqueueActions(fails),
  'a guard that a collector checks': kit.enqueueActions(({ check }) => void check('broken')),
} as const

/** A machine whose `go` does something broken on its way from a to b. */
const broken = (action: unknown, placed: 'exit' | 'actions' | 'entry') =>
  kit.createMachine({
    context: { n: 1 },
    invoke: { id: 'kid', src: 'idle', input: { n: 1 } },
    initial: 'a',
    states: {
      a: {
        exit: placed === 'exit' ? action : [],
        on: { go: { target: 'b', actions: placed === 'actions' ? action : [] } },
      },
      b: { entry: placed === 'entry' ? action : [] },
    },
  } as never)

const sayFacts = (world: World, ref: AnyActorRef) => {
  const { status, value, context } = viewOf({ ref })
  world.note(status, value, context)
}

const each = Object.entries(places).map(([place, action]): Script => ({
  name: `${place} that throws fails the machine where it was`,
  run(world) {
    const hand = world.start(broken(action, 'actions'))
    hand.send({ type: 'go' })
    sayFacts(world, hand.ref)
  },
}))

const elsewhere: readonly Script[] = [
  ...(['exit', 'entry'] as const).map((placed): Script => ({
    name: `an ${placed} action that throws leaves the machine where it was`,
    run(world) {
      for (const place of ['an inline action', 'an assign'] as const) {
        const hand = world.start(broken(places[place], placed))
        hand.send({ type: 'go' })
        sayFacts(world, hand.ref)
      }
    },
  })),
  {
    name: 'an action that a timer runs may fail the machine, whose other timers are gone',
    run(world) {
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: {
            a: { after: { 10: { actions: fails }, 20: { actions: sayer(world)('20') } } },
          },
        }),
      )
      hand.advance(30)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'an action that fails on a raised event undoes the whole step',
    run(world) {
      const hand = world.start(
        kit.createMachine({
          context: { n: 0 },
          initial: 'a',
          states: {
            a: {
              on: {
                go: { target: 'b', actions: [kit.assign({ n: 1 }), kit.raise({ type: 'x' })] },
              },
            },
            b: { on: { x: { target: 'c', actions: kit.assign(fails) } } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      sayFacts(world, hand.ref)
    },
  },
  {
    name: 'a child whose action throws tells its parent, which goes on',
    run(world) {
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: {
            a: {
              invoke: {
                id: 'kid',
                src: broken(fails, 'actions'),
                onError: {
                  target: 'b',
                  actions: ({ event }) => world.note(event.type, event.error),
                },
              },
              on: { go: { actions: sendTo('kid', { type: 'go' }) } },
            },
            b: { on: { go: 'c' } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'go' })
      sayValue(world, hand)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'a child whose action throws fails a parent that does not take it',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: broken(fails, 'actions') },
          on: { go: { actions: sendTo('kid', { type: 'go' }) } },
        }),
      )
      const { kid } = viewOf(hand).children
      hand.send({ type: 'go' })
      for (const ref of [kid!, hand.ref]) world.note(viewOf({ ref }).status)
    },
  },
  {
    name: 'a child that fails at its start tells its parent',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: {
            src: createMachine({ entry: fails }),
            onError: { actions: ({ event }) => world.note(event.error) },
          },
        }),
      )
      world.note(viewOf(hand).status)
    },
  },
]

export const throwingActionScripts: readonly Script[] = [...each, ...elsewhere]
