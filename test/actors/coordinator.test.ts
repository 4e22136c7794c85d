import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import {
  adoptTask,
  completeTask,
  coordinator,
  delegateTask,
  failTask,
  withdrawTask,
  type CoordinatorOptions,
} from '../../actors/coordinator.ts'
import { pool } from '../../actors/supervisor.ts'
import { taskOf } from '../../machines/delegation.ts'
import { AmbitError } from '../../src/kernel/errors.ts'
import { reply } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { run, valueOf } from '../support/running.ts'

interface WorkerContext {
  readonly task: string
  readonly attempt: number
  readonly turns: number
}

const HOUR = 3_600_000

/** Works on its task until it is told how that ends. */
const worker = () =>
  actor(
    'worker',
    setup({
      types: {
        context: {} as WorkerContext,
        events: {} as { type: string; task?: string; attempt?: number },
      },
    }).createMachine({
      id: 'worker',
      context: { task: '', attempt: 0, turns: 0 },
      on: {
        'task.assigned': {
          actions: assign(({ event, context }) => ({
            task: event.task ?? '',
            attempt: event.attempt ?? 0,
            turns: context.turns + 1,
          })),
        },
        get: { actions: reply(({ context }) => ({ type: 'got', value: context })) },
        stumble: {
          actions: assign(() => {
            throw new Error('stumbled')
          }),
        },
        /** It says so, and stays. */
        report: {
          actions: completeTask(({ context: { task, attempt } }) => `${task} by ${attempt}`),
        },
      },
      initial: 'working',
      states: {
        working: {
          on: {
            finish: {
              target: 'over',
              actions: completeTask(({ context: { task, attempt } }) => `${task} by ${attempt}`),
            },
            refuse: { target: 'over', actions: failTask(() => new Error('cannot be done')) },
            leave: 'over',
          },
        },
        over: { type: 'final' },
      },
    }),
    { attemptsMax: 1 },
  )

/** Delegates what it is told to, and remembers what it heard of it. */
const owner = () => {
  const place = ({ event }: { event: { type: string; task?: string } }) => {
    return { to: '/desk', task: event.task ?? '', input: { asked: event.task ?? '' } }
  }
  const machine = setup({
    types: {
      context: {} as { heard: readonly object[] },
      events: {} as { type: string; task?: string },
    },
  }).createMachine({
    id: 'owner',
    context: { heard: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          delegate: { actions: delegateTask(place) },
          withdraw: { actions: withdrawTask(place) },
          adopt: { actions: adoptTask(place) },
          'task.*': {
            actions: assign(({ context, event }) => ({ heard: [...context.heard, event] })),
          },
          get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) },
          die: 'dead',
        },
      },
      dead: { type: 'final' },
    },
  })
  return pool('owners', actor('owner', machine))
}

async function started(options: Partial<CoordinatorOptions> = {}) {
  const clock = createManualClock()
  const journal = faultyJournal()
  const children = () => [owner(), coordinator('desk', { worker: worker(), ...options })]
  let running = await run(children(), { clock, journal })
  const send = async (to: string, type: string, task = 't') => {
    const { status } = running.kernel.ref(to).send({ type, task })
    await running.settle()
    return status
  }
  return {
    clock,
    tell: (who: string, type: string, task?: string) => send(`/owners/${who}`, type, task),
    toWorker: (name: string, type: string) => send(`/desk/workers/${name}`, type),
    pass: async (ms: number) => {
      clock.advance(ms)
      await running.settle()
    },
    heard: (who: string) => valueOf(running.kernel, `/owners/${who}`, { type: 'get' }),
    workerSays: (name: string) => valueOf(running.kernel, `/desk/workers/${name}`, { type: 'get' }),
    ask: (type: string, task = 't') => running.kernel.ref(`/desk/tasks/${task}`).ask({ type }),
    workers: async () => {
      const counted = await running.kernel.callSupervisor('/desk/workers', {
        call: 'countChildren',
      })
      return (counted as unknown as { counts: { active: number } }).counts.active
    },
    again: async () => {
      await running.kernel.stop()
      running = await run(children(), { clock, journal })
      await running.settle()
    },
    stop: () => running.kernel.stop(),
  }
}

const done = { type: 'task.done', task: 't', output: 't by 1' }

describe('a task', () => {
  test('H1 is done by one worker, and its owner hears so once', async () => {
    const { tell, toWorker, heard, workerSays, stop } = await started()
    await tell('ann', 'delegate')
    expect(await workerSays('t~1')).toEqual({ task: 't', attempt: 1, turns: 1 })
    await toWorker('t~1', 'finish')
    expect(await heard('ann')).toEqual([done])
    await stop()
  })

  test('H1 is refused by a worker as a value, and nobody tries again', async () => {
    const { tell, toWorker, heard, workers, stop } = await started()
    await tell('ann', 'delegate')
    await toWorker('t~1', 'refuse')
    const error = { name: 'Error', message: 'cannot be done' }
    expect(await heard('ann')).toEqual([{ type: 'task.failed', task: 't', error, attempts: 1 }])
    expect(await workers()).toBe(0)
    await stop()
  })

  test('H2 handed in twice is done once, and its end is told again', async () => {
    const { tell, toWorker, heard, workerSays, stop } = await started()
    await tell('ann', 'delegate')
    await tell('ann', 'delegate')
    expect(await workerSays('t~1')).toMatchObject({ turns: 1 })
    await toWorker('t~1', 'finish')
    await tell('ann', 'delegate')
    expect(await heard('ann')).toEqual([done, done])
    await stop()
  })

  test('H2 belongs to one owner: another who hands it in, withdraws or adopts it is refused', async () => {
    const { tell, heard, ask, stop } = await started()
    await tell('ann', 'delegate')
    for (const what of ['delegate', 'withdraw', 'adopt']) await tell('bob', what)
    const refused = { type: 'task.refused', why: 'owned', owner: '/owners/ann', task: 't' }
    expect(await heard('bob')).toEqual([refused, refused, refused])
    expect(await ask('task.asked')).toMatchObject({ owner: '/owners/ann', attempt: 1, end: null })
    await stop()
  })

  test('H2 that nobody has delegated is unknown', async () => {
    const { tell, heard, ask, stop } = await started()
    await tell('ann', 'withdraw')
    await tell('ann', 'adopt')
    const unknown = { type: 'task.refused', why: 'unknown', task: 't' }
    expect(await heard('ann')).toEqual([unknown, unknown])
    expect(await ask('task.adopted')).toEqual(unknown)
    await stop()
  })

  test('H3 stays with a worker that crashes and is restarted', async () => {
    const { tell, toWorker, heard, workerSays, stop } = await started()
    await tell('ann', 'delegate')
    await toWorker('t~1', 'stumble')
    expect(await workerSays('t~1')).toEqual({ task: 't', attempt: 1, turns: 1 })
    await toWorker('t~1', 'finish')
    expect(await heard('ann')).toEqual([done])
    await stop()
  })

  test('H3 goes to another worker when its own ends without a result, so often and then it has failed', async () => {
    const { tell, toWorker, heard, workers, workerSays, stop } = await started({ attemptsMax: 2 })
    await tell('ann', 'delegate')
    await toWorker('t~1', 'leave')
    expect(await workerSays('t~2')).toMatchObject({ task: 't', attempt: 2 })
    expect(await workers()).toBe(1)
    await toWorker('t~2', 'leave')
    const error = { name: 'Ended', message: 'The worker ended without a result (normal).' }
    expect(await heard('ann')).toEqual([{ type: 'task.failed', task: 't', error, attempts: 2 }])
    expect(await workers()).toBe(0)
    await stop()
  })

  test('H3 goes to another worker when its own crashes too often', async () => {
    const restarts = { intensity: 1, budget: 'each' } as const
    const { tell, toWorker, workerSays, stop } = await started({ restarts })
    await tell('ann', 'delegate')
    await toWorker('t~1', 'stumble')
    await toWorker('t~1', 'stumble')
    expect(await workerSays('t~2')).toMatchObject({ task: 't', attempt: 2 })
    await stop()
  })

  test('H4 does not end with the answer of a worker that has it no more', async () => {
    const { tell, toWorker, heard, ask, stop } = await started()
    await tell('ann', 'delegate', 'other')
    await tell('ann', 'delegate')
    await toWorker('t~1', 'leave')
    // Says of itself that it has the task, and has not.
    await toWorker('t~9', 'report')
    expect(await ask('task.asked')).toMatchObject({ attempt: 2, end: null })
    await toWorker('t~2', 'finish')
    expect(await heard('ann')).toEqual([{ ...done, output: 't by 2' }])
    await stop()
  })

  test('H5 that is withdrawn is over once its worker has stopped', async () => {
    const { tell, heard, workers, stop } = await started()
    await tell('ann', 'delegate')
    await tell('ann', 'withdraw')
    expect(await heard('ann')).toEqual([{ type: 'task.stopped', why: 'withdrawn', task: 't' }])
    expect(await workers()).toBe(0)
    await stop()
  })

  test('H5 that was delegated from outside is told to whoever asks', async () => {
    const { ask, toWorker, stop } = await started()
    expect(await ask('task.delegated')).toEqual({ type: 'task.accepted', task: 't' })
    await toWorker('t~1', 'finish')
    expect(await ask('task.asked')).toMatchObject({
      type: 'task.status',
      owner: null,
      end: { type: 'task.done', output: 't by 1' },
    })
    await stop()
  })
})

describe('an orphan', () => {
  test('H6 is stopped, unless the coordinator says otherwise', async () => {
    const { tell, ask, workers, stop } = await started()
    await tell('ann', 'delegate')
    await tell('ann', 'die')
    expect(await ask('task.asked')).toMatchObject({
      owner: null,
      end: { type: 'task.stopped', why: 'orphaned' },
    })
    expect(await workers()).toBe(0)
    await stop()
  })

  test('H6 goes on where it is to, and whoever adopts it later hears its end', async () => {
    const { tell, toWorker, heard, pass, stop } = await started({ onOrphan: 'continue' })
    await tell('ann', 'delegate')
    await tell('ann', 'die')
    await pass(100 * HOUR)
    await toWorker('t~1', 'finish')
    await tell('bob', 'adopt')
    expect(await heard('bob')).toEqual([done])
    await stop()
  })

  test('H7 waits for another owner, who then hears how it ended', async () => {
    const { tell, toWorker, heard, pass, ask, stop } = await started({ onOrphan: 'awaitAdoption' })
    await tell('ann', 'delegate')
    await tell('ann', 'die')
    await pass(HOUR - 1)
    await tell('bob', 'adopt')
    await pass(100 * HOUR)
    expect(await ask('task.asked')).toMatchObject({ owner: '/owners/bob', end: null })
    await toWorker('t~1', 'finish')
    expect(await heard('bob')).toEqual([done])
    await stop()
  })

  test('H7 whom nobody adopts in time is stopped', async () => {
    const { tell, ask, pass, workers, stop } = await started({ onOrphan: 'awaitAdoption' })
    await tell('ann', 'delegate')
    await tell('ann', 'die')
    await pass(HOUR)
    expect(await ask('task.asked')).toMatchObject({
      end: { type: 'task.stopped', why: 'abandoned' },
    })
    expect(await workers()).toBe(0)
    await stop()
  })
})

describe('a coordinator', () => {
  test('H8 keeps tasks, owners and times of adoption over the end of its process', async () => {
    const { tell, toWorker, heard, again, pass, ask, stop } = await started({
      onOrphan: 'awaitAdoption',
    })
    await tell('ann', 'delegate', 'kept')
    await tell('bob', 'delegate', 'lost')
    await tell('bob', 'die')
    await again()
    await toWorker('kept~1', 'finish')
    expect(await heard('ann')).toEqual([{ type: 'task.done', task: 'kept', output: 'kept by 1' }])
    await pass(HOUR)
    expect(await ask('task.asked', 'lost')).toMatchObject({ end: { why: 'abandoned' } })
    await stop()
  })

  test('H9 refuses a worker that would lose its task, and options that are none', () => {
    const { kind, ...rest } = worker()
    const refused = (options: object) => () => coordinator('desk', options as CoordinatorOptions)
    expect(refused({ worker: { ...rest, kind, durability: 'none' } })).toThrow(/durability "sync"/)
    expect(refused({ worker: { ...rest, kind, recover: 'fresh' } })).toThrow(/resumes/)
    expect(refused({ worker: pool('p', worker()) })).toThrow(AmbitError)
    expect(refused({})).toThrow(/"worker"/)
    expect(refused({ worker: worker(), onOrphan: 'adopt' })).toThrow(/onOrphan/)
  })

  test('H9 an actor that is no worker has no task', () => {
    expect(taskOf('/desk/workers/t~2')).toBe('/desk/tasks/t')
    for (const other of ['/desk', '/desk/workers/t', '/desk/others/t~1'])
      expect(() => taskOf(other)).toThrow(/no worker of a coordinator/)
  })
})
