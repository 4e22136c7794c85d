import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { fromCallback, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { agent } from '../../actors/agent.ts'
import { inWorker, type InWorkerOptions } from '../../src/isolation/in-worker.ts'
import type { ActorThread } from '../../src/isolation/thread.ts'
import { Threads } from '../../src/isolation/threads.ts'
import { inThread, nodeOptions, start, stopAll } from '../support/in-threads.ts'
import { waitFor } from '../wait-for.ts'
import { desk, envelope, paid } from './desk.ts'
import { room } from './rooms.ts'

afterEach(stopAll)

const here = (file: string) => new URL(file, import.meta.url)

test('I4 an agent proposes from its thread; what it may do is done by the action, outside', async () => {
  const isolation = inWorker(here('./desk.ts'), { export: 'desk', nodeOptions })
  const options = { envelope, isolation }
  const { system } = await start([
    agent('small', desk, { ...options, input: { minor: 100_00 } }),
    agent('large', desk, { ...options, input: { minor: 720_00 } }),
  ])
  await waitFor(() => system.read.actors.get('/small') === undefined && system.cases().length > 0)
  expect(paid).toEqual(['A-10000'])
  expect(system.cases()).toMatchObject([{ status: 'open', proposal: { proposer: '/large' } }])
})

describe('what cannot be', () => {
  const named = (name: string) => ({ export: name })

  test.each<[string, () => unknown, RegExp]>([
    ['a path', () => inWorker('./rooms.ts' as never, named('room')), /new URL\(/],
    ['a URL of the web', () => inWorker(new URL('https://a.b/c.js'), named('room')), /of a file/],
    [
      'a file that is not there',
      () => inWorker(here('./none.js'), named('x')),
      /where there is no file/,
    ],
    [
      'a file of the other kind',
      () => inWorker(here('./rooms.js'), named('room')),
      /rooms\.ts" is there/,
    ],
    ['no export', () => inWorker(here('./rooms.ts'), {} as never), /expects "export"/],
    [
      'a heap of nothing',
      () => inWorker(here('./rooms.ts'), { export: 'room', maxHeapMb: 0 }),
      /maxHeapMb/,
    ],
    [
      'no time',
      () => inWorker(here('./rooms.ts'), { export: 'room', turnTimeoutMs: 1 }),
      /turnTimeoutMs/,
    ],
    [
      'a misspelt option',
      () => inWorker(here('./rooms.ts'), { exports: 'room' } as never),
      /no option "exports"/,
    ],
    ['other isolation', () => actor('a', room, { isolation: 'worker' as never }), /isolation/],
    ['an empty isolation', () => actor('a', room, { isolation: {} as never }), /made by inWorker/],
    [
      'durability none',
      () => inThread('a', room, 'room', { durability: 'none' }),
      /durability 'none'/,
    ],
    [
      'a callback',
      () =>
        inThread(
          'a',
          fromCallback(() => undefined),
          'room',
        ),
      /beside its steps/,
    ],
    [
      'an invoked callback',
      () =>
        inThread(
          'a',
          setup({ actors: { bell: fromCallback(() => undefined) } }).createMachine({
            invoke: { src: 'bell' },
          }),
          'room',
        ),
      /"bell" beside its steps/,
    ],
  ])('I10 %s is refused where it is written', (_, make, message) => {
    expect(make).toThrow(message)
  })

  async function failureOf(
    name: string,
    worker: Partial<InWorkerOptions> = {},
    file = './rooms.ts',
  ) {
    const isolation = inWorker(here(file), { export: name, nodeOptions, ...worker })
    const started = start([actor('room', room, { isolation })])
    return started.then(
      () => undefined,
      (error: unknown) => String((error as { cause?: unknown }).cause ?? error) + String(error),
    )
  }

  test.each<[string, string, RegExp, string?]>([
    ['an export that is not there', 'rom', /expects the export "rom"; the module exports .*room/],
    ['an export that is no machine', 'notAMachine', /to be a machine .*got object/],
    [
      'another machine',
      'other',
      /exports as "other" the machine "other", which is not the one given/,
    ],
    [
      'a module that cannot be loaded',
      'room',
      /cannot be loaded in a thread: the module says no/,
      './unloadable.ts',
    ],
  ])('I10 %s fails the start by name', async (_, name, message, file) => {
    expect(await failureOf(name, {}, file)).toMatch(message)
  })

  test('I10 options that Node does not know fail the start by name', async () => {
    expect(await failureOf('room', { nodeOptions: ['--no-such-option'] })).toMatch(
      /Mend nodeOptions/,
    )
  })
})

describe('as many threads as there may be', () => {
  const fake = (over: string[], name: string, all: Threads) => {
    const thread = {
      isIdle: true,
      close() {
        over.push(name)
        all.freed(thread as unknown as ActorThread, true)
      },
    }
    return thread as unknown as ActorThread
  }

  test('I11 above the limit the thread that idles longest ends', async () => {
    const over: string[] = []
    const all = new Threads(2)
    const a = await all.start(() => fake(over, 'a', all))
    await all.start(() => fake(over, 'b', all))
    all.used(a)
    await all.start(() => fake(over, 'c', all))
    expect(over).toEqual(['b'])
    expect(all.size).toBe(2)
  })

  test('I11 when all are busy, who needs one waits for the first that is not', async () => {
    const over: string[] = []
    const all = new Threads(1)
    const a = await all.start(() => fake(over, 'a', all))
    Object.assign(a, { isIdle: false })
    let isThere = false
    const waiting = all.start(() => fake(over, 'b', all)).then(() => (isThere = true))
    const failing = all.start(() => {
      throw new Error('no thread')
    })
    await Promise.resolve()
    expect([isThere, all.size]).toEqual([false, 1])
    Object.assign(a, { isIdle: true })
    all.freed(a, false)
    await waiting
    expect(over).toEqual(['a'])
    void failing.catch(() => undefined)
  })
})

test('I11 an idle thread keeps no process alive, and a working one does', async () => {
  const script = fileURLToPath(new URL('../support/housed.js', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
  expect([code, said]).toEqual([0, 'done in thread\n'])
})
