import {
  assign,
  createMachine,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  setup,
  spawnChild,
  type AnyActorRef,
} from 'xstate'
import type { Script } from '../worlds.ts'
import { sayEvent, type Ev, viewOf } from './action-kit.ts'

interface Greeting {
  readonly greeting: string
}

const greeter = setup({
  types: { context: {} as Greeting, input: {} as Greeting, events: {} as Ev },
}).createMachine({ context: ({ input }) => ({ greeting: `${input.greeting}!` }) })

const roots: readonly Script[] = [
  {
    name: 'a machine makes its context of its input, and its first event carries it',
    run(world) {
      const machine = setup({
        types: { context: {} as { n: number }, input: {} as { n: number }, events: {} as Ev },
      }).createMachine({
        context: ({ input }) => ({ n: input.n + 1 }),
        entry: ({ context, event }) => world.note(context, event),
      })
      world.start(machine, { input: { n: 41 } })
    },
  },
  {
    name: 'an assign at the start reads the input in its event',
    run(world) {
      const hand = world.start(
        createMachine({
          context: { text: '' },
          entry: assign({ text: ({ event }) => (event as { input: Greeting }).input.greeting }),
        }),
        { input: { greeting: 'hello' } },
      )
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'a context that cannot be made without input fails the machine at its start',
    run(world) {
      const hand = world.start(greeter)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'promises, transitions, callbacks and observables get their input',
    async run(world) {
      const input = { greeting: 'hello' }
      const promise = fromPromise<Greeting, Greeting>(async ({ input: given }) => given)
      const transition = fromTransition(
        (state: Greeting) => state,
        ({ input: given }: { input: Greeting }) => ({ greeting: `${given.greeting} you` }),
      )
      const callback = fromCallback<Ev, Greeting>(({ input: given }) =>
        world.note('callback', given),
      )
      const observable = fromObservable<Greeting, Greeting>(
        ({ input: given }) =>
          ({
            subscribe(observer: { next?: (value: Greeting) => void }) {
              observer.next?.(given)
              return { unsubscribe: () => undefined }
            },
          }) as never,
      )
      const first = world.start(promise, { input })
      world.note('transition', viewOf(world.start(transition, { input })).context)
      world.start(callback, { input })
      world.note('observable', viewOf(world.start(observable, { input })).context)
      await first.settle()
      world.note('promise', viewOf(first).output)
    },
  },
]

/** Tells what it was given. */
const teller = (note: (seen: unknown) => void) =>
  fromCallback<Ev, unknown>(({ input }) => note(input))

const countAndEvent = ({ context, event }: { context: { n: number }; event: Ev }) => [
  context.n,
  event,
]

const children: readonly Script[] = [
  {
    name: 'an invoked machine gets its input, given or worked out',
    run(world) {
      const hand = world.start(
        setup({
          types: { context: {} as { n: number }, input: {} as number, events: {} as Ev },
          actors: { greeter },
        }).createMachine({
          context: ({ input }) => ({ n: input }),
          invoke: [
            { id: 'given', src: 'greeter', input: { greeting: 'given' } },
            {
              id: 'made',
              src: 'greeter',
              input: ({ context }) => ({ greeting: `made of ${context.n + 100}` }),
            },
          ],
        }),
        { input: 42 },
      )
      const { given, made } = viewOf(hand).children
      world.note(viewOf({ ref: given! }).context)
      world.note(viewOf({ ref: made! }).context)
    },
  },
  {
    name: 'an invoke makes its input after the entry actions of its state, from their event',
    run(world) {
      const hand = world.start(
        setup({
          types: { context: {} as { n: number }, events: {} as Ev },
          actors: { teller: teller((seen) => world.note('input', seen)) },
        }).createMachine({
          context: { n: 0 },
          initial: 'a',
          states: {
            a: { on: { go: { target: 'b', actions: assign({ n: 1 }) } } },
            b: {
              entry: assign({ n: ({ context }) => context.n + 1 }),
              invoke: { src: 'teller', input: countAndEvent },
              on: { next: 'c' },
            },
            c: {
              entry: assign({ n: 5 }),
              invoke: { src: 'teller', input: countAndEvent },
            },
          },
        }),
      )
      hand.send({ type: 'go', n: 3 } as Ev)
      hand.send({ type: 'next' })
    },
  },
  {
    name: 'an input function gets the ref of its machine, for invokes and for spawned children',
    run(world) {
      const caller = fromCallback<Ev, { to: AnyActorRef; n: number }>(({ input, receive }) => {
        receive(() => input.to.send({ type: 'called', n: input.n }))
      })
      const hand = world.start(
        setup({ types: { events: {} as Ev }, actors: { caller } }).createMachine({
          invoke: { id: 'one', src: 'caller', input: ({ self }) => ({ to: self, n: 1 }) },
          entry: spawnChild('caller', { id: 'two', input: ({ self }) => ({ to: self, n: 2 }) }),
          on: {
            go: {
              actions: ({ self }) => {
                const kids = self.getSnapshot().children as Record<string, AnyActorRef>
                for (const id of ['one', 'two']) kids[id]!.send({ type: 'call' })
              },
            },
            called: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'the first event of an invoked or spawned machine carries its input',
    run(world) {
      const kid = createMachine({ entry: ({ event }) => world.note(event) })
      world.start(
        createMachine({
          invoke: { src: kid, input: { greeting: 'invoked' } },
          entry: spawnChild(kid, { id: 'kid', input: { greeting: 'spawned' } }),
        }),
      )
    },
  },
]

export const inputScripts: readonly Script[] = [...roots, ...children]
