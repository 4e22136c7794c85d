import { actor, effect, readOnly, type ErrorRecord } from 'ambit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  assign,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  sendTo,
  setup,
} from 'xstate'
import { pastOf, pasts, shown } from './by-hand.ts'

/** What the outside world saw, over all lives. */
let world: string[] = []
/** Opens the promise that was made last. */
let open: (value: string) => void = () => undefined
let tick: (value: number) => void = () => undefined

beforeEach(() => {
  world = []
})

function subscribable(name: string) {
  const source = {
    subscribe(observer: { next?: (value: unknown) => void }) {
      world.push(`${name} starts`)
      tick = (value) => observer.next?.({ type: 'tick', value })
      return { unsubscribe: () => void world.push(`${name} ends`) }
    },
  }
  return source as never
}

const listening = setup({
  types: { context: {} as { heard: unknown[] } },
  actors: {
    callback: fromCallback<{ type: string }, { room: string }>(({ input, receive, sendBack }) => {
      world.push(`callback starts in ${input.room}`)
      receive((event) => {
        world.push(`callback hears ${event.type}`)
        sendBack({ type: 'heard', what: event.type })
      })
      return () => void world.push('callback ends')
    }),
    values: fromObservable(() => subscribable('values')),
    events: fromEventObservable(() => subscribable('events')),
  },
  actions: {
    keep: assign({ heard: ({ context, event }) => [...context.heard, event] }),
  },
}).createMachine({
  context: { heard: [] },
  initial: 'idle',
  on: { heard: { actions: 'keep' }, tick: { actions: 'keep' } },
  states: {
    idle: { on: { call: 'calling', watch: 'watching', follow: 'following' } },
    calling: {
      invoke: { src: 'callback', id: 'callback', input: { room: 'blue' } },
      on: {
        ask: {
          actions: sendTo('callback', { type: 'ask' }),
        },
        leave: 'idle',
      },
    },
    watching: { invoke: { src: 'values', id: 'values' }, on: { leave: 'idle' } },
    following: { invoke: { src: 'events', id: 'events' }, on: { leave: 'idle' } },
  },
})

const working = (kind: 'idempotent' | 'readOnly' | 'plain' | 'promise') => {
  const run = () => {
    world.push('works')
    return new Promise<string>((resolve) => (open = resolve))
  }
  const work = {
    idempotent: effect(run, { idempotent: true }),
    readOnly: readOnly(run),
    plain: effect(run),
    promise: fromPromise(run),
  }[kind]
  return setup({
    types: { context: {} as { code: string | null; output: unknown } },
    actors: { work },
  }).createMachine({
    context: { code: null, output: null },
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'work',
          onDone: { target: 'done', actions: assign({ output: ({ event }) => event.output }) },
          onError: {
            target: 'failed',
            actions: assign({ code: ({ event }) => (event.error as ErrorRecord).code ?? null }),
          },
        },
      },
      done: {},
      failed: {},
    },
  })
}

describe.each(pasts)('after a $ending over a $journal journal', ({ journal, ending: how }) => {
  const starts = () => world.filter((line) => / starts/.test(line)).length

  test.each([
    { kind: 'callback', enter: 'call' },
    { kind: 'values', enter: 'watch' },
    { kind: 'events', enter: 'follow' },
  ])('S2 $kind that stands is started again once, and ended on leaving', async (row) => {
    const past = pastOf(journal, how, actor('it', listening))
    await (await past.begin()).send(row.enter)
    expect(starts()).toBe(1)
    await past.end()
    world = []
    const after = await past.begin()
    await after.advance(1000)
    expect(starts()).toBe(1)
    await after.send('leave')
    expect(world.at(-1)).toBe(`${row.kind} ends`)
    expect(world.length).toBe(2)
    await past.end()
    world = []
    await past.begin()
    expect(world).toEqual([])
  })

  test('S2 a callback that was started again has its input, hears, and is heard', async () => {
    const past = pastOf(journal, how, actor('it', listening))
    await (await past.begin()).send('call')
    await past.end()
    world = []
    const after = await past.begin()
    await after.send('ask')
    expect(world).toEqual(['callback starts in blue', 'callback hears ask'])
    expect(shown(after.ref).context.heard).toEqual([{ type: 'heard', what: 'ask' }])
  })

  test.each([
    {
      kind: 'callback',
      logic: () => fromCallback(({ input }) => void world.push(JSON.stringify(input))),
    },
    {
      kind: 'observable',
      logic: () =>
        fromObservable(({ input }) => {
          world.push(JSON.stringify(input))
          return { subscribe: () => ({ unsubscribe: () => undefined }) } as never
        }),
    },
    {
      kind: 'promise',
      logic: () =>
        readOnly((input) => {
          world.push(JSON.stringify(input))
          return new Promise<never>(() => undefined)
        }),
    },
  ])('S2 a $kind that is the actor itself is started again with its input', async (row) => {
    const past = pastOf(journal, how, actor('it', row.logic(), { input: 'blue' }))
    await past.begin()
    await past.end()
    await past.begin()
    expect(world).toEqual(['"blue"', '"blue"'])
  })

  test('S2 an observable that was started again is heard', async () => {
    const past = pastOf(journal, how, actor('it', listening))
    await (await past.begin()).send('follow')
    await past.end()
    const after = await past.begin()
    tick(7)
    await after.settle()
    expect(shown(after.ref).context.heard).toEqual([{ type: 'tick', value: 7 }])
  })

  test.each(['idempotent', 'readOnly'] as const)(
    'F2 an effect that is %s runs again and its end is heard once',
    async (kind) => {
      const past = pastOf(journal, how, actor('it', working(kind)))
      await past.begin()
      await past.end()
      const after = await past.begin()
      expect(world).toEqual(['works', 'works'])
      open('late')
      await after.settle()
      expect(shown(after.ref)).toMatchObject({ value: 'done', context: { output: 'late' } })
    },
  )

  test.each(['plain', 'promise'] as const)('F2 a %s effect is in doubt', async (kind) => {
    const past = pastOf(journal, how, actor('it', working(kind)))
    await past.begin()
    await past.end()
    const after = await past.begin()
    expect(world).toEqual(['works'])
    expect(shown(after.ref)).toMatchObject({
      value: 'failed',
      context: { code: 'AMBIT_EFFECT_IN_DOUBT' },
    })
  })
})
