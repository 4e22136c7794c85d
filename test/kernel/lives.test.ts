import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import type { Cell } from '../../src/kernel/cell.ts'
import type { Lives } from '../../src/kernel/lives.ts'
import type { SupervisionReport } from '../../src/kernel/ports/observer.ts'
import type { Recover } from '../../src/kernel/restart-plan.ts'
import type { Tree } from '../../src/kernel/tree.ts'
import { effect } from '../../src/logic/invocable.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, until, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const get = { type: 'get' }

test.each([
  ['resume', { count: 1, generation: 1, alarms: 0 }],
  ['fresh', { count: 0, generation: 3, alarms: 0 }],
] as const)('R25 recover "%s" begins where it says', async (recover, expected) => {
  const { kernel, settle } = await run([actor('w', worker().machine, { recover })])
  for (const type of ['add', 'boom']) kernel.ref('/w').send({ type })
  await settle()
  expect(await valueOf(kernel, '/w', get)).toMatchObject({ count: expected.count })
  expect((await kernel.session.load('/w'))?.generation).toBe(expected.generation)
  expect(kernel.alarms).toHaveLength(expected.alarms)
  await kernel.stop()
})

test.each([
  ['stop', ['/s/w']],
  // Its supervisor gives up in its place, each time, and is started again by its own until the message is parked.
  ['escalate', []],
] as const)('R25 recover "%s" does not restart the child alone', async (recover, alarms) => {
  const reports: SupervisionReport[] = []
  const children = [actor('w', worker().machine, { recover: recover satisfies Recover })]
  const { kernel, settle } = await run([supervisor({ id: 's', children })], {
    observers: [{ onSupervision: (report) => void reports.push(report) }],
  })
  kernel.ref('/s/w').send({ type: 'boom' })
  await until(() => reports.length > 0)
  const [first] = reports
  expect(first).toMatchObject({ kind: recover === 'stop' ? 'leave' : 'giveUp', supervisor: '/s' })
  await settle()
  expect(kernel.alarms.map(({ address }) => address)).toEqual(alarms)
  await kernel.stop()
})

test('R26 a restart is told with supervisor, child, incarnation, reason, message and attempt', async () => {
  const reports: SupervisionReport[] = []
  const { kernel, settle } = await run([actor('w', worker().machine)], {
    observers: [{ onSupervision: (report) => void reports.push(report) }],
  })
  kernel.ref('/w').send({ type: 'boom' })
  await settle()
  expect(reports).toMatchObject(
    [1, 2].map((time) => ({
      kind: 'restart',
      supervisor: '/',
      child: 'w',
      incarnation: time,
      reason: { kind: 'error', error: { message: 'boom' } },
      message: { type: 'boom', attempt: time },
    })),
  )
  await kernel.stop()
})

test('R21 a change counts from the next restart on, and one that would be no valid spec is refused', async () => {
  const { kernel, settle } = await run([actor('w', worker().machine)])
  const call = (fields: object) => kernel.callSupervisor('/', fields)
  const significant = { call: 'changeChild', id: 'w', change: { significant: true } }
  expect(await call(significant)).toMatchObject({ ok: false, error: 'badSignificant' })
  const flags = { call: 'changeFlags', flags: { autoShutdown: 'any_significant' } }
  expect(await call(flags)).toMatchObject({ ok: true })
  expect(await call(significant)).toMatchObject({ ok: true })
  const never = { call: 'changeFlags', flags: { autoShutdown: 'never' } }
  expect(await call(never)).toMatchObject({ ok: false, error: 'badSignificant' })
  const temporary = {
    call: 'changeChild',
    id: 'w',
    change: { restart: 'temporary', significant: false },
  }
  expect(await call(temporary)).toMatchObject({ ok: true })
  kernel.ref('/w').send({ type: 'boom' })
  await settle()
  expect(await call({ call: 'whichChildren' })).toMatchObject({ children: [] })
  await kernel.stop()
})

test('R27 what a child said of an earlier incarnation changes nothing', async () => {
  const restarts: number[] = []
  const { kernel, settle } = await run([actor('w', worker().machine)], {
    observers: [{ onRestart: ({ incarnation }) => void restarts.push(incarnation) }],
  })
  kernel.ref('/w').send({ type: 'boom' })
  await settle()
  expect(restarts).toEqual([2, 3])
  const { tree, lives } = kernel as unknown as { readonly tree: Tree; readonly lives: Lives }
  const cell = tree.peek('/w')
  if (cell === undefined) throw new Error('nobody is there')
  const late = { address: cell.address, incarnation: 2 } as unknown as Cell
  lives.supervision.exited(late, { kind: 'error', error: { name: 'Error', message: 'late' } })
  await settle()
  expect(restarts).toEqual([2, 3])
  expect(await valueOf(kernel, '/w', get)).toMatchObject({ count: 0 })
  await kernel.stop()
})

test('R28 a supervisor that fails itself leaves no child running, and is started again with them', async () => {
  const spec = supervisor({ id: 's', children: [actor('w', worker().machine)] })
  let isFailing = false
  const { engine } = spec
  const fragile = {
    ...spec,
    engine: {
      ...engine,
      step: (...given: Parameters<typeof engine.step>) => {
        if (!isFailing) return engine.step(...given)
        isFailing = false
        throw new Error('the supervisor itself')
      },
    },
  }
  const { kernel, settle } = await run([fragile])
  kernel.ref('/s/w').send({ type: 'add' })
  await settle()
  isFailing = true
  kernel.ref('/s/w').send({ type: 'boom' })
  const { tree } = kernel as unknown as { readonly tree: Tree }
  await until(() => !isFailing)
  await settle()
  expect(tree.peek('/s')?.incarnation).toBe(2)
  expect(await valueOf(kernel, '/s/w', get)).toMatchObject({ count: 1 })
  await kernel.stop()
})

test('R30 a supervisor that has given up for good has no live child', async () => {
  const root = supervisor({
    intensity: 0,
    children: [
      actor('a', worker().machine),
      supervisor({ id: 's', children: [actor('b', worker().machine)] }),
    ],
  })
  const { kernel, settle } = await run([], { root })
  kernel.ref('/a').send({ type: 'boom' })
  await settle()
  const { tree } = kernel as unknown as { readonly tree: Tree }
  expect([...tree.all()].filter(({ life }) => life === 'running')).toEqual([])
  await kernel.stop()
})

test('R32 after its supervisor gave up nobody below begins an effect, until somebody says so', async () => {
  const journal = faultyJournal()
  let begun = 0
  const acting = setup({
    actors: { act: effect(() => ++begun, { idempotent: true }) },
  }).createMachine({
    id: 'acting',
    initial: 'idle',
    states: { idle: { on: { act: 'acting' } }, acting: { invoke: { src: 'act', onDone: 'idle' } } },
  })
  const specs = () => [
    supervisor({
      id: 's',
      intensity: 0,
      children: [actor('bad', worker().machine), actor('acting', acting)],
    }),
    actor('beside', acting),
  ]
  const first = await run(specs(), { journal })
  first.kernel.ref('/s/bad').send({ type: 'boom' })
  await first.settle()
  expect(first.kernel.suspended).toMatchObject([{ address: '/s', error: { message: 'boom' } }])
  for (const to of ['/s/acting', '/beside']) first.kernel.ref(to).send({ type: 'act' })
  await first.settle()
  expect(begun).toBe(1)
  await first.kernel.stop()
  const second = await run(specs(), { journal })
  await second.settle()
  expect(begun).toBe(1)
  expect(await second.kernel.resumeAuthority('/elsewhere', 'dana', 'a mistake')).toBe(false)
  expect(await second.kernel.resumeAuthority('/s', 'dana', 'mended')).toBe(true)
  await second.settle()
  expect(begun).toBe(2)
  expect(second.kernel.suspended).toEqual([])
  const turns = await second.kernel.session.history({ address: '/system/kernel' })
  const thoughts = turns.flatMap(
    ({ record }) => (JSON.parse(record) as { thoughts: object[] }).thoughts,
  )
  expect(thoughts).toMatchObject([
    { kind: 'authoritySuspended', address: '/s' },
    { kind: 'authorityResumed', address: '/s', by: 'dana', why: 'mended' },
  ])
  await second.kernel.stop()
})
