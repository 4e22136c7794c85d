import { actor, type ActorRef } from 'ambit'
import { describe, expect, test } from 'vitest'
import { assign, fromTransition, sendTo, setup, toPromise, type AnyActorRef } from 'xstate'
import { pastOf, pasts, shown } from './by-hand.ts'

const tally = fromTransition(
  (state: { sum: number }, event: { type: string; n?: number }) => {
    return { sum: state.sum + (event.n ?? 0) }
  },
  { sum: 0 },
)

const inner = setup({ actors: { tally } }).createMachine({
  id: 'inner',
  context: { steps: 0 },
  initial: 'off',
  invoke: { src: 'tally', id: 'tally', systemId: 'the-tally' },
  on: { add: { actions: sendTo('tally', ({ event }) => event) } },
  states: {
    off: { on: { step: { target: 'on', actions: assign({ steps: 1 }) } } },
    on: { on: { step: 'off' } },
  },
})

const ending = setup({}).createMachine({
  initial: 'going',
  output: { said: 'bye' },
  states: { going: { on: { end: 'over' } }, over: { type: 'final' } },
})

const player = setup({
  types: { context: {} as { heard: unknown[]; found: boolean } },
  actors: { inner, ending },
}).createMachine({
  id: 'player',
  context: { heard: [], found: false },
  type: 'parallel',
  invoke: [
    { src: 'inner', id: 'inner', systemId: 'the-inner' },
    {
      src: 'ending',
      id: 'ending',
      onDone: { actions: assign({ heard: ({ event }) => [event.output] }) },
    },
  ],
  on: {
    look: {
      actions: assign({ found: ({ system }) => system.get('the-inner') !== undefined }),
    },
    step: { actions: sendTo('inner', { type: 'step' }) },
    add: { actions: sendTo('inner', ({ event }) => event) },
    reach: {
      actions: sendTo(({ system }) => system.get('the-tally') as AnyActorRef, {
        type: 'add',
        n: 100,
      }),
    },
    end: { actions: sendTo('ending', { type: 'end' }) },
  },
  states: {
    sound: {
      initial: 'loud',
      states: {
        loud: {
          initial: 'bass',
          on: { mute: 'quiet' },
          states: {
            bass: { on: { up: 'treble' } },
            treble: { initial: 'low', states: { low: { on: { up: 'high' } }, high: {} } },
            deep: { type: 'history', history: 'deep' },
            shallow: { type: 'history', history: 'shallow' },
          },
        },
        quiet: { on: { deep: 'loud.deep', shallow: 'loud.shallow' } },
      },
    },
    light: { initial: 'on', states: { on: { on: { dark: 'off' } }, off: {} } },
  },
})

function childOf(ref: ActorRef, ...ids: string[]): AnyActorRef {
  let found: AnyActorRef = ref
  for (const id of ids) {
    const { children } = found.getSnapshot() as { children: Record<string, AnyActorRef> }
    const child = children[id]
    if (child === undefined) throw new Error(`there is no child ${id}`)
    found = child
  }
  return found
}

describe.each(pasts)('after a $ending over a $journal journal', ({ journal, ending: how }) => {
  const spec = actor('it', player)

  test('S1 value, context and tags of a machine come back', async () => {
    const past = pastOf(journal, how, spec)
    const before = await past.begin()
    for (const type of ['up', 'dark', 'look']) await before.send(type)
    const value = { sound: { loud: { treble: 'low' } }, light: 'off' }
    expect(shown(before.ref).value).toEqual(value)
    await past.end()
    const { ref } = await past.begin()
    const snapshot = shown(ref)
    expect(snapshot).toMatchObject({ value, status: 'active', context: { found: true } })
    expect(snapshot.matches({ sound: { loud: 'treble' } })).toBe(true)
    expect([snapshot.can({ type: 'mute' }), snapshot.can({ type: 'deep' })]).toEqual([true, false])
  })

  test.each([
    { kind: 'deep', value: { loud: { treble: 'high' } } },
    { kind: 'shallow', value: { loud: { treble: 'low' } } },
  ])('S1 $kind history comes back', async ({ kind, value }) => {
    const past = pastOf(journal, how, spec)
    const before = await past.begin()
    for (const type of ['up', 'up', 'mute']) await before.send(type)
    await past.end()
    const after = await past.begin()
    expect(shown(after.ref).value).toMatchObject({ sound: 'quiet' })
    await after.send(kind)
    expect(shown(after.ref).value).toMatchObject({ sound: value })
  })

  test('S1 nested machines and reducers come back, and their refs show and take', async () => {
    const past = pastOf(journal, how, spec)
    const before = await past.begin()
    await before.send('step')
    await before.send({ type: 'add', n: 7 })
    await past.end()
    const after = await past.begin()
    const [nested, sum] = [childOf(after.ref, 'inner'), childOf(after.ref, 'inner', 'tally')]
    expect(nested.getSnapshot()).toMatchObject({ value: 'on', context: { steps: 1 } })
    expect(sum.getSnapshot()).toMatchObject({ status: 'active', context: { sum: 7 } })
    expect([nested.id, sum.id, sum._parent?.id]).toEqual(['inner', 'tally', 'inner'])
    await after.send('step')
    await after.send({ type: 'add', n: 5 })
    expect(childOf(after.ref, 'inner').getSnapshot()).toMatchObject({ value: 'off' })
    expect(sum.getSnapshot()).toMatchObject({ context: { sum: 12 } })
    // What is sent through a ref comes as if the child had been sent it.
    sum.send({ type: 'add', n: 1 })
    await after.settle()
    expect(sum.getSnapshot()).toMatchObject({ context: { sum: 13 } })
  })

  test('S1 system ids are found after it, from guards and actions and from outside', async () => {
    const past = pastOf(journal, how, spec)
    await past.begin()
    await past.end()
    const after = await past.begin()
    await after.send('look')
    await after.send('reach')
    expect(shown(after.ref).context.found).toBe(true)
    const sum = after.ref.system.get('the-tally') as AnyActorRef
    expect(sum.getSnapshot()).toMatchObject({ context: { sum: 100 } })
    expect(after.ref.system.get('the-inner')).toBe(childOf(after.ref, 'inner'))
    expect(after.ref.system.get('the-outer')).toBeUndefined()
  })

  test('S1 a child that is done stays listed with its output', async () => {
    const past = pastOf(journal, how, spec)
    const before = await past.begin()
    await before.send('end')
    const listed = Object.keys(shown(before.ref).children as object)
    const last = { status: 'done', output: { said: 'bye' } }
    expect(childOf(before.ref, 'ending').getSnapshot()).toMatchObject(last)
    await past.end()
    const after = await past.begin()
    expect(Object.keys(shown(after.ref).children as object)).toEqual(listed)
    expect(childOf(after.ref, 'ending').getSnapshot()).toMatchObject(last)
    expect(shown(after.ref).context.heard).toEqual([{ said: 'bye' }])
    // It is over: it hears nothing, and its parent hears nothing of it again.
    await after.send('end')
    expect(shown(after.ref).context.heard).toEqual([{ said: 'bye' }])
  })

  test('S1 an actor that is done shows its output, and takes nothing more', async () => {
    const past = pastOf(journal, how, actor('it', ending, { restart: 'transient' }))
    await (await past.begin()).send('end')
    await past.end()
    const { ref } = await past.begin()
    expect(ref.send({ type: 'end' })).toEqual({ status: 'rejected', reason: 'stopped' })
    expect(shown(ref).status).toBe('done')
    expect(await toPromise(ref)).toEqual({ said: 'bye' })
    expect(shown(ref).output).toEqual({ said: 'bye' })
  })

  test('S1 an actor that was stopped stays stopped', async () => {
    const past = pastOf(journal, how, actor('it', ending))
    const before = await past.begin()
    before.ref.stop()
    await before.settle()
    await past.end()
    const { ref } = await past.begin()
    expect(shown(ref).status).toBe('stopped')
    expect(ref.send({ type: 'end' })).toEqual({ status: 'rejected', reason: 'stopped' })
  })
})
