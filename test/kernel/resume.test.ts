import {
  actor,
  createSystem,
  effect,
  memory,
  supervisor,
  type EffectContext,
  type ErrorRecord,
} from 'ambit'
import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { createManualClock } from '../support/manual-clock.ts'
import { waitFor } from '../wait-for.ts'

interface Attempt {
  readonly key: string
  readonly attempt: number
  readonly maybeExecuted: boolean
}

/** A machine that runs one effect; the first attempt never ends, as if its process had been cut off. */
function worker(attempts: Attempt[], idempotent: boolean) {
  const work = effect<undefined, string>(
    (_, { idempotencyKey, attempt, maybeExecuted }: EffectContext) => {
      attempts.push({ key: idempotencyKey, attempt, maybeExecuted })
      return attempts.length === 1 ? new Promise<string>(() => undefined) : 'done'
    },
    { idempotent },
  )
  return setup({
    types: { context: {} as { code: string | null } },
    actors: { work },
  }).createMachine({
    id: 'worker',
    context: { code: null },
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'work',
          onDone: 'done',
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

test.each([
  { idempotent: true, state: 'done', attempts: 2 },
  { idempotent: false, state: 'failed', attempts: 1 },
])(
  'F2 an effect cut off by a crash, idempotent $idempotent, is attempted $attempts times in all',
  async (row) => {
    const [attempts, journal]: [Attempt[], ReturnType<typeof memory>] = [[], memory()]
    const create = () =>
      createSystem({
        journal,
        root: supervisor({ children: [actor('worker', worker(attempts, row.idempotent))] }),
      })
    const first = create()
    await first.start()
    await waitFor(() => attempts.length === 1, { what: 'the first attempt' })
    await first.stop({ graceMs: 0 })
    const second = create()
    await second.start()
    await second.atRest()
    expect(second.read.actors.get('/worker')?.get().state).toBe(row.state)
    expect(attempts.length).toBe(row.attempts)
    const [before, after] = attempts
    if (row.idempotent) expect(after).toEqual({ key: before?.key, attempt: 2, maybeExecuted: true })
    await second.stop()
  },
)

test('F5 a timer that fell due while nobody ran fires once, at once, after the restart', async () => {
  const [clock, journal] = [createManualClock(), memory()]
  const machine = setup({ types: { context: {} as { fired: number } } }).createMachine({
    id: 'patient',
    context: { fired: 0 },
    initial: 'waiting',
    states: {
      waiting: {
        after: {
          60_000: {
            target: 'rung',
            actions: assign({ fired: ({ context }) => context.fired + 1 }),
          },
        },
      },
      rung: {},
    },
  })
  const create = () =>
    createSystem({ journal, clock, root: supervisor({ children: [actor('patient', machine)] }) })
  const first = create()
  await first.start()
  await first.stop({ graceMs: 0 })
  clock.advance(3_600_000)
  const second = create()
  await second.start()
  const row = () => second.read.actors.get('/patient')?.get()
  clock.advance(0)
  await waitFor(() => row()?.state === 'rung', { what: 'the overdue timer' })
  clock.advance(3_600_000)
  const turns = await second.history({ address: '/patient' })
  expect(turns.filter(({ record }) => record.includes('"type":"ambit.timer"'))).toHaveLength(1)
  await second.stop({ graceMs: 0 })
})
