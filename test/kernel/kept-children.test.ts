import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { agent } from '../../actors/agent.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { defineAction } from '../../src/envelope/action.ts'
import { defineEnvelope } from '../../src/envelope/envelope.ts'
import { KEPT_CHILDREN_MAX } from '../../src/kernel/kept-children.ts'
import { KERNEL } from '../../src/kernel/own-rows.ts'
import { plainCommit } from '../../src/kernel/plain-commit.ts'
import {
  checkSupervisor,
  type ChildSpec,
  type SupervisorOptions,
  type Template,
} from '../../src/kernel/supervisor-spec.ts'
import { governed } from '../../actors/governed.ts'
import { reply } from '../../src/logic/actions.ts'
import { child, family, statusOf, type ChildOptions, type Family } from '../support/family.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { valueOf } from '../support/running.ts'
import { z } from 'zod'

const get = { type: 'get' }
const no = (error: string) => ({ ok: false, error })

/** Says with what it was started. */
const echo = setup({
  types: { context: {} as { given: unknown }, input: {} as unknown },
}).createMachine({
  id: 'echo',
  context: ({ input }) => ({ given: input }),
  on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.given })) } },
})

const templates: Record<string, Template> = {
  plain: child('plain'),
  echo: actor('echo', echo, { input: 'of its own' }),
  made: (input) => child('made', input as ChildOptions),
  team: (input) =>
    supervisor({ id: 'team', durableChildren: true, templates, children: input as never }),
}

const keeping = (more: Partial<SupervisorOptions> = {}): SupervisorOptions => ({
  children: [child('own')],
  durableChildren: true,
  templates,
  ...more,
})

async function ids({ ask }: Family, address = '/'): Promise<readonly string[]> {
  const answer = await ask(address).whichChildren()
  return answer.ok ? answer.children.map(({ id }) => id).reverse() : []
}

describe.each(['stop', 'crash'] as const)('after the %s of its process', (end) => {
  const journal = faultyJournal()
  const over = async ({ kernel }: Family) => {
    if (end === 'stop') await kernel.stop()
    else await journal.crash()
  }

  test('R53 a kept child is there again, as it was, in its order', async () => {
    const first = await family(keeping(), { journal })
    const asked = [
      { template: 'plain', id: 'z' },
      { template: 'echo', id: 'y', input: { order: 7 } },
      { template: 'echo', id: 'x' },
      { template: 'made', id: 'w', input: { restart: 'permanent' } },
    ]
    for (const request of asked)
      expect(await first.ask().startChild(request)).toMatchObject({ ok: true, running: true })
    first.send('/z', 'add', 'add')
    await first.rest()
    await over(first)
    const second = await family(keeping(), { journal })
    expect(second.seen()).toEqual(['+own', '+z', '+w'])
    expect(await ids(second)).toEqual(['own', 'z', 'y', 'x', 'w'])
    expect(await valueOf(second.kernel, '/z', get)).toBe(2)
    expect(await valueOf(second.kernel, '/y', get)).toEqual({ order: 7 })
    expect(await valueOf(second.kernel, '/x', get)).toBe('of its own')
    expect(await second.ask().startChild({ template: 'plain', id: 'z' })).toMatchObject(
      no('alreadyStarted'),
    )
    for (const id of ['z', 'y', 'x', 'w']) {
      await second.ask().terminateChild(id)
      await second.ask().deleteChild(id)
    }
    await over(second)
  })

  test('R53 so is a supervisor with the children that it keeps itself', async () => {
    const first = await family(keeping(), { journal })
    await first.ask().startChild({ template: 'team', id: 't', input: [] })
    await first.ask('/t').startChild({ template: 'plain', id: 'a' })
    first.send('/t/a', 'add')
    await first.rest()
    await over(first)
    const second = await family(keeping(), { journal })
    expect(await ids(second, '/t')).toEqual(['a'])
    expect(await valueOf(second.kernel, '/t/a', get)).toBe(1)
    await second.ask().terminateChild('t')
    await second.ask().deleteChild('t')
    await over(second)
    const third = await family(keeping(), { journal })
    expect(await ids(third)).toEqual(['own'])
    await third.ask().startChild({ template: 'team', id: 't', input: [] })
    expect(await ids(third, '/t')).toEqual([])
    await third.ask().terminateChild('t')
    await third.ask().deleteChild('t')
    await over(third)
  })

  test('R54 one that was terminated stays down until it is restarted, one that was deleted is gone', async () => {
    const first = await family(keeping(), { journal })
    for (const id of ['a', 'b', 'c']) await first.ask().startChild({ template: 'plain', id })
    first.send('/a', 'add')
    await first.rest()
    for (const id of ['a', 'b', 'c']) await first.ask().terminateChild(id)
    await first.ask().deleteChild('b')
    await first.ask().restartChild('c')
    await over(first)
    const second = await family(keeping(), { journal })
    expect(second.seen()).toEqual(['+own', '+c'])
    expect(await ids(second)).toEqual(['own', 'a', 'c'])
    expect(await statusOf(second.ask(), 'a')).toBe('down')
    expect(await second.ask().restartChild('a')).toMatchObject({ ok: true, running: true })
    expect(await valueOf(second.kernel, '/a', get)).toBe(0)
    await over(second)
    const third = await family(keeping(), { journal })
    expect(third.seen()).toEqual(['+own', '+a', '+c'])
    for (const id of ['a', 'c']) {
      await third.ask().terminateChild(id)
      await third.ask().deleteChild(id)
    }
    await over(third)
  })

  test('R54 a temporary one is not kept, nor one that could not be started', async () => {
    const first = await family(keeping(), { journal })
    const temporary = { template: 'made', id: 't', input: { restart: 'temporary' } }
    expect(await first.ask().startChild(temporary)).toMatchObject({ ok: true, running: true })
    const failing = { template: 'made', id: 'f', input: { starts: ['fail'] } }
    expect(await first.ask().startChild(failing)).toMatchObject(no('notStarted'))
    await over(first)
    const second = await family(keeping(), { journal })
    expect(await ids(second)).toEqual(['own'])
    await over(second)
  })
})

test('R53 a kept child is there again, as it was, after a restart of its supervisor', async () => {
  const inner = supervisor({ id: 's', intensity: 0, ...keeping() })
  const house = await family({ children: [inner] })
  const { ask, send, settle, kernel, seen } = house
  await ask('/s').startChild({ template: 'plain', id: 'a' })
  await ask('/s').startChild({ template: 'plain', id: 'b' })
  await ask('/s').terminateChild('b')
  send('/s/a', 'add')
  await settle()
  seen()
  send('/s/own', 'boom')
  await settle()
  expect(seen()).toEqual(['-own', '-a', '-s', '+own', '+a'])
  expect(await ids(house, '/s')).toEqual(['own', 'a', 'b'])
  expect(await valueOf(kernel, '/s/a', get)).toBe(1)
  await kernel.stop()
})

test('R53 what was asked for is stored when it is answered, and started once', async () => {
  const journal = faultyJournal()
  const house = await family(keeping(), { journal })
  const answers = await Promise.all(
    [1, 2, 3].map((input) => house.ask().startChild({ template: 'echo', id: 'a', input })),
  )
  expect(answers.map(({ ok }) => ok)).toEqual([true, false, false])
  await journal.crash()
  const second = await family(keeping(), { journal })
  expect(await valueOf(second.kernel, '/a', get)).toBe(1)
  await second.kernel.stop()
})

test('R53 of calls that cross each other the last one is kept', async () => {
  const journal = faultyJournal()
  const house = await family(keeping(), { journal })
  await house.ask().startChild({ template: 'plain', id: 'a' })
  await Promise.all([house.ask().terminateChild('a'), house.ask().restartChild('a')])
  await journal.crash()
  const second = await family(keeping(), { journal })
  expect(await statusOf(second.ask(), 'a')).toBe('running')
  await second.kernel.stop()
})

test('R53 an agent that is made again has its envelope and its actions', async () => {
  const note = defineAction({
    name: 'note',
    input: z.object({}),
    key: () => 'k',
    idempotent: true,
    execute: async () => 'noted',
  })
  const machine = setup({ actors: { note: governed(note) } }).createMachine({
    id: 'noter',
    initial: 'idle',
    states: {
      idle: { on: { go: 'noting' } },
      noting: {
        invoke: {
          src: 'note',
          input: { args: {}, why: 'asked' },
          onDone: 'noted',
          onError: 'idle',
        },
      },
      noted: {},
    },
  })
  const envelope = defineEnvelope({ id: 'e', owner: 'head', actions: { note: {} } })
  const journal = memoryJournal()
  const start = async () => {
    const root = supervisor({
      children: [],
      durableChildren: true,
      templates: { noter: () => agent('noter', machine, { envelope }) },
    })
    const system = createSystem({ root, journal, watchdog: false })
    await system.start()
    return system
  }
  const first = await start()
  await first.supervisor('/').startChild({ template: 'noter', id: 'n' })
  await first.stop()
  const second = await start()
  second.ref('/n').send({ type: 'go' })
  await second.atRest()
  expect(second.ref('/n').getSnapshot()).toMatchObject({ value: 'noted' })
  await second.stop()
})

describe('a template', () => {
  const without = (missing: string) =>
    Object.fromEntries(Object.entries(templates).filter(([name]) => name !== missing))

  test('R55 that is missing is an alarm with the child, which is known and down; the others start', async () => {
    const journal = faultyJournal()
    const first = await family(keeping(), { journal })
    await first.ask().startChild({ template: 'echo', id: 'e', input: 1 })
    await first.ask().startChild({ template: 'plain', id: 'p' })
    await first.ask().startChild({ template: 'echo', id: 'd' })
    await first.kernel.stop()
    const second = await family(keeping({ templates: without('echo') }), { journal })
    const [alarm] = second.kernel.alarms
    expect(second.kernel.alarms.map(({ address }) => address)).toEqual(['/e', '/d'])
    expect(alarm?.error).toMatchObject({
      code: 'AMBIT_TEMPLATE_MISSING',
      message: expect.stringMatching(
        /"\/e" is made of the template "echo".*plain, made, team/,
      ) as string,
    })
    expect(await statusOf(second.ask(), 'p')).toBe('running')
    expect(await statusOf(second.ask(), 'e')).toBe('down')
    expect(await second.ask().restartChild('e')).toMatchObject({
      ...no('notStarted'),
      cause: {
        message: expect.stringMatching(/Nobody knows of what "e" of "\/" is made/) as string,
      },
    })
    expect(await second.ask().deleteChild('d')).toMatchObject({ ok: true })
    await second.kernel.stop()
    const third = await family(keeping(), { journal })
    expect(await ids(third)).toEqual(['own', 'e', 'p'])
    expect(await valueOf(third.kernel, '/e', get)).toBe(1)
    await third.kernel.stop()
  })

  test('R55 that throws, or gives no spec, is the same', async () => {
    const journal = faultyJournal()
    const first = await family(keeping(), { journal })
    await first.ask().startChild({ template: 'made', id: 'm', input: {} })
    await first.ask().startChild({ template: 'plain', id: 'p' })
    await first.kernel.stop()
    const broken = {
      made: () => {
        throw new Error('no such house')
      },
      plain: () => 'rubbish' as unknown as ChildSpec,
    }
    const second = await family(keeping({ templates: broken }), { journal })
    expect(second.kernel.alarms.map(({ error }) => error.message)).toEqual([
      'no such house',
      expect.stringMatching(/Child "p" expects template "plain" to give a spec/) as string,
    ])
    expect(await statusOf(second.ask(), 'own')).toBe('running')
    await second.kernel.stop()
  })
})

describe('a request that cannot be kept', () => {
  test('R56 is refused by name', async () => {
    const { ask, kernel } = await family(keeping())
    const requests = [
      [{ template: 'other', id: 'a' }, /"other".*Expected one of: plain, echo, made, team/],
      [{ template: 'toString', id: 'a' }, /"toString", which its supervisor does not have/],
      [{ template: 'plain', id: 'a/b' }, /Expected a child id/],
      [{ template: 'plain', id: 'a', input: { at: new Date(0) } }, /input\.at/],
      [{ template: 'plain', id: 'a', input: 'x'.repeat(2 ** 20) }, /at most 1048576 bytes/],
      [child('a'), /keeps its children.*startChild\(\{ template, id, input \}\)/],
    ] as const
    for (const [request, error] of requests)
      await expect(ask().startChild(request as never)).rejects.toThrow(error)
    expect(await ask('/nobody').startChild({ template: 'plain', id: 'a' })).toEqual(no('noproc'))
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 1 } })
    await kernel.stop()
  })

  test('R56 is refused where nothing is kept', async () => {
    const { ask, kernel } = await family({ children: [] })
    await expect(ask().startChild({ template: 'plain', id: 'a' })).rejects.toThrow(
      /none, it has no templates/,
    )
    await kernel.stop()
  })

  test('R56 is refused when there are too many', async () => {
    const journal = memoryJournal()
    const session = await journal.open()
    const rows = Array.from({ length: KEPT_CHILDREN_MAX }, (_, i) => {
      const row = { template: 'gone', input: null, number: i }
      return [`child:/c${i}`, row] as const
    })
    await session.commit([
      plainCommit({ address: KERNEL, expectedSeq: 0, seq: 1, records: ['{}'], rows }),
    ])
    await session.close()
    const { ask, kernel } = await family(keeping(), { journal })
    const asked = { template: 'plain', id: 'one-more' }
    expect(await ask().startChild(asked)).toEqual(no('tooMany'))
    expect(await ask().deleteChild('c7')).toMatchObject({ ok: true })
    expect(await ask().startChild(asked)).toMatchObject({ ok: true, running: true })
    await kernel.stop()
  })
})

test('R56 durableChildren and templates belong together, and templates are specs or make them', () => {
  const wrong = [
    [{ durableChildren: true }, /together, got "durableChildren"/],
    [{ templates }, /together, got "templates"/],
    [{ durableChildren: false, templates }, /together/],
    [
      { durableChildren: true, templates: { a: 1 } },
      /template "a" to be a spec or to make one, got 1/,
    ],
    [{ durableChildren: true, templates: [] }, /templates/],
  ] as const
  for (const [options, error] of wrong) {
    const given = { children: [], ...(options as object) }
    expect(() => supervisor(given)).toThrow(error)
    const message = expect.stringMatching(error) as string
    expect(checkSupervisor(given)).toEqual([{ reason: 'invalidOption', message }])
  }
  expect(checkSupervisor(keeping())).toEqual([])
})
