import { describe, expect, test } from 'vitest'
import { assign, raise, sendParent, sendTo, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { DEAD_LETTERS_KEPT_MAX } from '../../src/kernel/dead-letters.ts'
import type { AmbitError, ErrorRecord } from '../../src/kernel/errors.ts'
import type { ExitReport } from '../../src/kernel/ports/observer.ts'
import { DRAIN_MS_MAX, MESSAGES_PER_SLICE_MAX, SLICE_MS_MAX } from '../../src/kernel/run-queue.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { gate, rounds, run, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const counter = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'add' } | { type: 'get' } },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
  },
})

describe('a full user lane', () => {
  const flooded = async (overflow: 'reject' | 'deadLetter' | 'dropOldest') => {
    const spec = actor('counter', counter, { mailbox: { userLengthMax: 3, overflow } })
    const running = await run([spec])
    const ref = running.kernel.ref('/counter')
    const answers = Array.from({ length: 5 }, (_, n) => ref.send({ type: 'add', n }))
    await running.rest()
    const letters = running.kernel.deadLetters.list()
    const lost = letters.map(({ reason, message }) => `${reason} ${String(message.body.n)}`)
    const count = await valueOf(running.kernel, '/counter', { type: 'get' })
    await running.kernel.stop()
    return { answers, lost, count }
  }

  test('T6 reject tells the sender, and when to come back', async () => {
    const { answers, count } = await flooded('reject')
    const refused = { status: 'rejected', reason: 'mailboxFull', retryAfterMs: 100 }
    expect(answers.slice(3)).toEqual([refused, refused])
    expect(count).toBe(3)
  })

  test('B6 a question that a full mailbox refuses says that it may be asked again, and when', async () => {
    const spec = actor('counter', counter, { mailbox: { userLengthMax: 1, overflow: 'reject' } })
    const { kernel, rest } = await run([spec])
    const ref = kernel.ref('/counter')
    ref.send({ type: 'add', n: 0 })
    const asked = ref.ask({ type: 'get' })
    await expect(asked).rejects.toMatchObject({
      code: 'AMBIT_OVERLOADED',
      retryable: true,
      retryAfterMs: 100,
    })
    await rest()
    expect(await valueOf(kernel, '/counter', { type: 'get' })).toBe(1)
    await kernel.stop()
  })

  test('B6 a question whose time is over while its receiver waits for a restart says so, and when', async () => {
    const slow = { baseMs: 1_000_000, maxMs: 1_000_000 }
    const family = supervisor({
      id: 'family',
      backoff: slow,
      children: [actor('w', worker().machine)],
    })
    const { kernel, clock, rest } = await run([family])
    const ref = kernel.ref('/family/w')
    // Its first restart is at once, and the message fails again: then it waits.
    ref.send({ type: 'boom' })
    await rounds()
    const asked = ref.ask({ type: 'get' }, { timeoutMs: 100 }).catch((error: unknown) => error)
    clock.advance(100)
    const error = (await asked) as AmbitError
    expect(error).toMatchObject({ code: 'AMBIT_RESTARTING', retryable: true })
    clock.advance(error.retryAfterMs ?? 0)
    await rest()
    expect(await valueOf(kernel, '/family/w', { type: 'get' })).toMatchObject({ count: 0 })
    await kernel.stop()
  })

  test('T6 deadLetter accepts and makes the newest a dead letter', async () => {
    const { answers, lost, count } = await flooded('deadLetter')
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['accepted']))
    expect(lost).toEqual(['mailboxFull 3', 'mailboxFull 4'])
    expect(count).toBe(3)
  })

  test('T6 dropOldest accepts and makes the oldest a dead letter', async () => {
    const { lost, count } = await flooded('dropOldest')
    expect(lost).toEqual(['mailboxFull 0', 'mailboxFull 1'])
    expect(count).toBe(3)
  })
})

describe('a caller’s own id', () => {
  test('T9 the same id again is a duplicate, also after a restart', async () => {
    const journal = faultyJournal()
    const first = await run([actor('counter', counter)], { journal })
    const deliver = ({ kernel } = first) =>
      kernel.ref('/counter').deliver({ type: 'add' }, { id: 'order-7' })
    expect(await deliver()).toBe('committed')
    expect(await deliver()).toBe('duplicate')
    await first.kernel.stop()
    const second = await run([actor('counter', counter)], { journal })
    expect(await deliver(second)).toBe('duplicate')
    expect(await valueOf(second.kernel, '/counter', { type: 'get' })).toBe(1)
    await second.kernel.stop()
  })

  test('T9 other ids, and the same id at another actor, are other messages', async () => {
    const { kernel } = await run([actor('a', counter), actor('b', counter)])
    for (const [to, id] of [
      ['/a', '1'],
      ['/a', '2'],
      ['/b', '1'],
    ] as const) {
      expect(await kernel.ref(to).deliver({ type: 'add' }, { id })).toBe('committed')
    }
    expect(await valueOf(kernel, '/a', { type: 'get' })).toBe(2)
    expect(await valueOf(kernel, '/b', { type: 'get' })).toBe(1)
    await kernel.stop()
  })

  test('T9 a delivery is answered only after its commit', async () => {
    const journal = faultyJournal()
    const { kernel } = await run([actor('counter', counter)], { journal })
    const door = gate()
    journal.beforeCommit = () => door.opened
    const seen: string[] = []
    const answered = kernel.ref('/counter').deliver({ type: 'add' }, { id: '1' })
    void answered.then((outcome) => seen.push(outcome))
    await rounds()
    expect(seen).toEqual([])
    door.open()
    expect(await answered).toBe('committed')
    await kernel.stop()
  })

  test('T9 a delivery that no actor can take is refused', async () => {
    const { kernel } = await run([actor('counter', counter)])
    const refused = kernel.ref('/nobody').deliver({ type: 'add' }, { id: '1' })
    await expect(refused).rejects.toMatchObject({ code: 'AMBIT_EVENT_REFUSED' })
    await kernel.stop()
  })
})

describe('a slice', () => {
  /** Its turns take their time, as everywhere but under a clock that stands still. */
  const chatty = (clock: ManualClock) =>
    setup({ actions: { spend: assign(() => (clock.spend(1), {})) } }).createMachine({
      id: 'chatty',
      initial: 'talking',
      states: {
        talking: {
          on: { chat: { actions: ['spend', tell('/chatty', { type: 'chat' })] }, hush: 'silent' },
        },
        silent: {},
      },
    })

  test('T10 beside an actor that talks to itself without end a quiet one is answered', async () => {
    const clock = createManualClock()
    const children = [actor('chatty', chatty(clock)), actor('counter', counter)]
    const { kernel, rest } = await run(children, { clock })
    for (let i = 0; i < 100; i++) kernel.ref('/chatty').send({ type: 'chat' })
    for (let i = 0; i < 5; i++) {
      expect(await valueOf(kernel, '/counter', { type: 'get' })).toBe(0)
    }
    kernel.ref('/chatty').send({ type: 'hush' })
    await rest()
    await kernel.stop()
  })

  const stepsTaken = async (stepMs: number) => {
    const clock = createManualClock()
    const steps: string[] = []
    const machine = (name: string) =>
      setup({
        actions: {
          work: assign(() => {
            steps.push(name)
            clock.spend(stepMs)
            return {}
          }),
        },
      }).createMachine({ id: name, on: { add: { actions: 'work' } } })
    const specs = [actor('busy', machine('busy')), actor('other', machine('other'))]
    const { kernel, rest } = await run(specs, { clock })
    for (let i = 0; i < 100; i++) kernel.ref('/busy').send({ type: 'add' })
    kernel.ref('/other').send({ type: 'add' })
    await rest()
    await kernel.stop()
    return steps
  }

  test('T10 an actor takes 32 messages, then the next one has its turn', async () => {
    expect(MESSAGES_PER_SLICE_MAX).toBe(32)
    const steps = await stepsTaken(0)
    expect(steps.indexOf('other')).toBe(32)
    expect(steps).toHaveLength(101)
  })

  test('T10 an actor whose steps take long gives way after 5 ms', async () => {
    expect([SLICE_MS_MAX, DRAIN_MS_MAX]).toEqual([5, 10])
    const steps = await stepsTaken(3)
    expect(steps.indexOf('other')).toBe(2)
  })
})

describe('machines that do not come to rest', () => {
  const spinning = setup({}).createMachine({
    id: 'spinning',
    initial: 'still',
    states: {
      still: { on: { spin: 'a', raise: { actions: raise({ type: 'raise' }) } } },
      a: { always: 'b' },
      b: { always: 'a' },
    },
    on: { get: { actions: reply({ type: 'got', value: 'alive' }) } },
  })
  const child = setup({}).createMachine({
    id: 'child',
    on: { ping: { actions: sendParent({ type: 'pong' }) } },
  })
  const playing = setup({ actors: { child } }).createMachine({
    id: 'playing',
    invoke: { src: 'child', id: 'child' },
    on: {
      play: { actions: sendTo('child', { type: 'ping' }) },
      pong: { actions: sendTo('child', { type: 'ping' }) },
      get: { actions: reply({ type: 'got', value: 'alive' }) },
    },
  })

  test.each([
    [
      'an always loop',
      spinning,
      'spin',
      /Machine "spinning" in state "still" took more than 10000 microsteps/,
    ],
    [
      'a loop of raised events',
      spinning,
      'raise',
      /Machine "spinning" in state "still" took more than 10000 microsteps/,
    ],
    ['two machines of one cell in a ping-pong', playing, 'play', /passed 100000 events/],
  ])('T14 %s is stopped by a named limit and fails its turn', async (_, machine, type, named) => {
    const failures: ErrorRecord[] = []
    const onExit = ({ reason }: ExitReport) => {
      if (reason.kind === 'error') failures.push(reason.error)
    }
    const { kernel, settle } = await run([actor('tested', machine)], { observers: [{ onExit }] })
    kernel.ref('/tested').send({ type })
    await settle()
    expect(failures).toHaveLength(2)
    expect(failures[0]?.message).toMatch(named)
    expect(await valueOf(kernel, '/tested', { type: 'get' })).toBe('alive')
    await kernel.stop()
  })

  test('T14 a machine that loops as it starts makes start() reject', async () => {
    const looping = setup({}).createMachine({
      id: 'looping',
      initial: 'a',
      states: { a: { always: 'b' }, b: { always: 'a' } },
    })
    const started = run([actor('looping', looping)])
    await expect(started).rejects.toMatchObject({ code: 'AMBIT_START_FAILED' })
  })
})

describe('dead letters', () => {
  test('T15 a message that no actor can take is counted with its reason', async () => {
    const lonely = setup({}).createMachine({
      id: 'lonely',
      on: { call: { actions: tell('/nobody', { type: 'hello' }) } },
    })
    const { kernel, rest } = await run([
      actor('lonely', lonely),
      pool('members', actor('m', counter)),
    ])
    expect(kernel.ref('/nobody').send({ type: 'add' })).toEqual({
      status: 'rejected',
      reason: 'unknownActor',
    })
    kernel.ref('/lonely').send({ type: 'call' })
    await rest()
    kernel.stopActor('/lonely')
    await rest()
    expect(kernel.ref('/lonely').send({ type: 'call' })).toEqual({
      status: 'rejected',
      reason: 'stopped',
    })
    expect(kernel.deadLetters.count('unknownActor')).toBe(2)
    expect(kernel.deadLetters.count('stopped')).toBe(1)
    expect(kernel.deadLetters.count()).toBe(3)
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
  })

  test('T15 the last 1,000 dead letters are kept and all are counted', async () => {
    const { kernel } = await run([actor('counter', counter)])
    for (let n = 0; n < 1500; n++) kernel.ref('/nobody').send({ type: 'add', n })
    const kept = kernel.deadLetters.list()
    expect(DEAD_LETTERS_KEPT_MAX).toBe(1000)
    expect(kept).toHaveLength(1000)
    expect(kept[0]?.message.body.n).toBe(500)
    expect(kernel.deadLetters.count('unknownActor')).toBe(1500)
    await kernel.stop()
  })
})
