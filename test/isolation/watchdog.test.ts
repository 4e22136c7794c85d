import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem, type ActorSystem, type SystemOptions } from '../../actors/system.ts'
import { BLOCKED_MS } from '../../src/isolation/watchdog.ts'
import type { Stall } from '../../src/kernel/ports/watchdog.ts'
import { waitFor } from '../wait-for.ts'

const script = fileURLToPath(new URL('../support/blocked.js', import.meta.url))
const LIMIT_MS = 100
const running: ActorSystem[] = []

afterEach(async () => {
  for (const system of running.splice(0)) await system.stop({ graceMs: 0 })
})

const busy = fromTransition((state: number, event: { type: string; ms?: number }) => {
  if (event.type === 'work') keepBusy(event.ms ?? 0)
  return state + 1
}, 0)

function keepBusy(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

async function start(options: Partial<SystemOptions> = {}) {
  const stalls: Stall[] = []
  const system = createSystem({
    root: supervisor({ children: [actor('busy', busy)] }),
    watchdog: { limitMs: LIMIT_MS },
    observers: [{ onStall: (stall) => stalls.push(stall) }],
    ...options,
  })
  running.push(system)
  await system.start()
  return { system, stalls }
}

/** Blocks until the watch has seen it once: it begins with a beat of its own. */
async function stallOnce(system: ActorSystem, stalls: readonly Stall[]): Promise<Stall> {
  return waitFor(() => {
    if (stalls.length === 0) system.ref('/busy').send({ type: 'work', ms: LIMIT_MS * 5 })
    return stalls[0]
  })
}

test('I1 a turn that blocks the event loop is an alarm with its actor, message and stack', async () => {
  const { system, stalls } = await start()
  const stall = await stallOnce(system, stalls)
  expect(stall).toMatchObject({ address: '/busy', systemId: system.id, message: { type: 'work' } })
  expect(stall.blockedMs).toBeGreaterThanOrEqual(LIMIT_MS)
  expect(stall.stack).toContain('keepBusy')
  expect(system.alarms[0]).toMatchObject({
    address: '/busy',
    error: { code: 'AMBIT_LOOP_BLOCKED' },
  })
  expect(system.read.counters.get().stalls).toBe(stalls.length)
})

test('I1 another system in the process hears nothing of it', async () => {
  const { system, stalls } = await start()
  const other = await start()
  await stallOnce(system, stalls)
  expect(other.stalls).toEqual([])
})

function blocked(scenario: string) {
  const child = spawn(process.execPath, [script, scenario], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = { text: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.text += text))
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return { child, said, ended }
}

test.each([
  [
    'turn',
    /stood still for \d+ ms: "\/stuck" in its turn of "loop" \(message .*\)\n.*spinForEver/s,
  ],
  ['effect', /stood still for \d+ ms: "\/tooled" in its effect "tool"\n.*spinForEver/s],
])('I2 a %s that never ends is named on stderr while it goes on', async (scenario, expected) => {
  const { child, said, ended } = blocked(scenario)
  try {
    await waitFor(() => expected.test(said.text), { what: scenario })
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})

test('I2 native code that blocks is told of, and named when it returns', async () => {
  const { said, ended } = blocked('native')
  expect(await ended).toBe(0)
  expect(said.text).toMatch(/in native code.*"\/stuck" in its turn of "native".*execFileSync/s)
})

test('I3 the watch keeps no process alive', async () => {
  const { said, ended } = blocked('none')
  expect(await ended).toBe(0)
  expect(said.text).toBe('')
})

test('I3 nobody watches by hand, in a simulation, or where it is turned off', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  await start({ scheduler: 'manual' })
  await start({ schedule: { next: () => 0 }, scheduler: 'manual' })
  await start({ watchdog: false })
  expect(timers()).toBe(before)
})

test('I3 by default a loop may stand still for a second; other limits are checked', async () => {
  expect(BLOCKED_MS).toBe(1000)
  const root = supervisor({ children: [] })
  for (const watchdog of [{ limitMs: 0 }, { limitMs: 1.5 }, { limitMS: 1 }, true, null])
    expect(() => createSystem({ root, watchdog: watchdog as never })).toThrow(/watchdog/i)
})

test('I3 a system that has stopped is watched no more', async () => {
  const { system, stalls } = await start()
  await stallOnce(system, stalls)
  // What was still due is done before it has stopped, and watched.
  await system.stop()
  const before = stalls.length
  keepBusy(LIMIT_MS * 5)
  const { system: other, stalls: heard } = await start()
  await stallOnce(other, heard)
  expect(stalls).toHaveLength(before)
})
