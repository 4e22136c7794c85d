import { assign, createMachine, fromPromise, sendParent } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, counting, numbered, says, tells, types, viewOf } from './actor-views.ts'
import { createDeferred } from './deferred.ts'

/** Promises as children: their input, their end, and what leaving them early does. */
export const invokedPromiseScripts: readonly Script[] = [
  {
    name: 'a fulfilled promise gives its value to onDone',
    async run(world) {
      const machine = createMachine({
        types: counting,
        context: { n: 0 },
        initial: 'pending',
        states: {
          pending: {
            invoke: {
              id: 'p',
              src: fromPromise(async () => ({ count: 3 })),
              onDone: {
                guard: ({ event }) => countIn(event) === 3,
                target: 'success',
                actions: [assign({ n: ({ event }) => countIn(event) }), tells(world)],
              },
              onError: 'failure',
            },
          },
          success: { entry: ({ context }) => world.note('success', context) },
          failure: {},
        },
      })
      const hand = world.start(machine)
      world.note(viewOf(hand.ref).value, viewOf(childOf(hand.ref, 'p')).status)
      await hand.settle()
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).context)
    },
  },
  {
    name: 'a rejected promise gives its reason to onError',
    async run(world) {
      for (const reason of [new Error('refused'), 'just a word', { code: 7 }]) {
        const hand = world.start(
          pending(
            world,
            fromPromise(() => Promise.reject(reason as Error)),
          ),
        )
        const promise = childOf(hand.ref, 'p')
        await hand.settle()
        world.note(viewOf(hand.ref).value, viewOf(promise).status, viewOf(promise).error)
      }
    },
  },
  {
    name: 'a promise creator that throws gives its error to onError while the parent starts',
    run(world) {
      const broken = fromPromise(() => {
        throw new TypeError('no creator')
      })
      const hand = world.start(pending(world, broken))
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).status)
    },
  },
  {
    name: 'a rejection that nobody handles fails the parent',
    async run(world) {
      const machine = createMachine({
        types,
        initial: 'pending',
        states: {
          pending: {
            invoke: {
              id: 'p',
              src: fromPromise(() => Promise.reject(new Error('alone'))),
              onDone: 'end',
            },
          },
          end: { type: 'final' },
        },
      })
      const hand = world.start(machine)
      hand.ref.subscribe({
        next: () => world.note('next'),
        error: (error) => world.note('observed', error),
        complete: () => world.note('complete'),
      })
      await hand.settle()
      const { status, value, error } = viewOf(hand.ref)
      world.note(status, value, error)
    },
  },
  {
    name: 'a thenable that is no promise is waited for all the same',
    async run(world) {
      const thenable = (work: Promise<unknown>): PromiseLike<unknown> => ({
        then: (done, failed) => thenable(work.then(done, failed)) as never,
      })
      const good = world.start(
        pending(
          world,
          fromPromise(() => thenable(Promise.resolve('good'))),
        ),
      )
      const bad = world.start(
        pending(
          world,
          fromPromise(() => thenable(Promise.reject(new Error('bad')))),
        ),
      )
      await good.settle()
      world.note(viewOf(good.ref).value, viewOf(bad.ref).value)
    },
  },
  {
    name: 'a promise gets static input, or input made of context and event',
    async run(world) {
      const search = fromPromise<string, { place: string; n: number }>(async ({ input }) => {
        world.note('asked', input)
        return `${input.place} ${input.n}`
      })
      const machine = createMachine({
        types: {} as typeof counting & { actors: { src: 'search'; logic: typeof search } },
        context: { n: 20 },
        initial: 'fixed',
        states: {
          fixed: {
            invoke: {
              src: 'search',
              input: { place: 'here', n: 1 },
              onDone: { actions: tells(world) },
            },
            on: { go: 'made' },
          },
          made: {
            invoke: {
              src: 'search',
              input: ({ context, event }) => ({ place: event.type, n: context.n + event.n! }),
              onDone: { actions: tells(world) },
            },
          },
        },
      }).provide({ actors: { search } })
      const hand = world.start(machine)
      await hand.settle()
      hand.send(numbered('go', 2))
      await hand.settle()
    },
  },
  {
    name: 'the same promise logic runs anew for each actor',
    async run(world) {
      let calls = 0
      const draw = fromPromise(async () => ++calls)
      const region = (name: string) => ({
        initial: 'active',
        states: {
          active: { invoke: { src: draw, onDone: { target: 'end', actions: tells(world, name) } } },
          end: { type: 'final' as const },
        },
      })
      const machine = createMachine({
        types,
        initial: 'both',
        states: {
          both: {
            type: 'parallel',
            states: { left: region('left'), right: region('right') },
            onDone: { target: 'again', actions: says(world) },
          },
          again: { on: { go: 'both' } },
        },
      })
      const hand = world.start(machine)
      await hand.settle()
      hand.send({ type: 'go' })
      await hand.settle()
      world.note('calls', calls)
    },
  },
  {
    name: 'promises end in the order they are settled in, not in the order written',
    async run(world) {
      const a = createDeferred<string>()
      const b = createDeferred<string>()
      const machine = createMachine({
        types,
        invoke: [
          { id: 'a', src: fromPromise(() => a.promise), onDone: { actions: tells(world) } },
          { id: 'b', src: fromPromise(() => b.promise), onDone: { actions: tells(world) } },
        ],
      })
      const hand = world.start(machine)
      b.resolve('b')
      await hand.settle()
      a.resolve('a')
      await hand.settle()
      world.note(viewOf(childOf(hand.ref, 'a')).output, viewOf(childOf(hand.ref, 'b')).output)
    },
  },
  {
    name: 'a state that retries after an error runs its promise again',
    async run(world) {
      let calls = 0
      const flaky = fromPromise(async () => {
        world.note('call', ++calls)
        if (calls < 3) throw new Error(`refused ${calls}`)
        return calls
      })
      const machine = createMachine({
        types,
        initial: 'busy',
        states: {
          busy: {
            invoke: {
              id: 'p',
              src: flaky,
              onDone: { target: 'end', actions: tells(world) },
              onError: { target: 'resting', actions: tells(world) },
            },
          },
          resting: { after: { 100: 'busy' } },
          end: { type: 'final' },
        },
      })
      const hand = world.start(machine)
      for (let round = 0; round < 3; round++) {
        await hand.settle()
        hand.advance(100)
      }
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'a promise below a child machine lets the end rise level by level',
    async run(world) {
      const child = createMachine({
        types: counting,
        context: { n: 0 },
        initial: 'fetching',
        states: {
          fetching: {
            invoke: {
              src: fromPromise(async () => 6),
              onDone: {
                target: 'end',
                actions: [
                  assign({ n: ({ event }) => event.output * 7 }),
                  sendParent(({ context }) => ({ type: 'soon', n: context.n })),
                ],
              },
            },
          },
          end: { type: 'final', entry: says(world, 'child') },
        },
        output: ({ context }) => context.n,
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: { id: 'c', src: child, onDone: { target: 'b', actions: tells(world) } },
              on: { soon: { actions: tells(world) } },
            },
            b: { type: 'final' },
          },
        }),
      )
      await hand.settle()
      world.note(viewOf(hand.ref).status)
    },
  },
]

const countIn = ({ output }: { output: unknown }) => (output as { count: number }).count

/** Waits for the actor "p" and notes how it ends. */
function pending(world: World, src: ReturnType<typeof fromPromise<unknown>>) {
  return createMachine({
    types,
    initial: 'pending',
    states: {
      pending: {
        invoke: {
          id: 'p',
          src,
          onDone: { target: 'success', actions: tells(world) },
          onError: { target: 'failure', actions: tells(world) },
        },
      },
      success: {},
      failure: {},
    },
  })
}
