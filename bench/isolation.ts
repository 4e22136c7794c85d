import { monitorEventLoopDelay } from 'node:perf_hooks'
import { actor, createSystem, inWorker, supervisor, type ActorSystem, type Observer } from 'ambit'
import { counter } from './support/housed-counter.ts'
import { compare, cpuOf } from './support/measure.ts'

// What does a thread of its own cost an actor, and what does it give back? One message there and here, a first start, a
// restart after an endless loop was killed, and how late the main loop is while one goes on.

const MESSAGES = 2000
const KILLS = 5
const TURN_TIMEOUT_MS = 400
const LOOP_MS = 2000

const isolation = inWorker(new URL('./support/housed-counter.js', import.meta.url), {
  export: 'counter',
  turnTimeoutMs: TURN_TIMEOUT_MS,
})
const endless = { ...isolation, turnTimeoutMs: 3_600_000 }

/** When each life of an actor ended, and when it took a message again. */
const ends: number[] = []
const observer: Observer = { onExit: () => ends.push(performance.now()) }

async function start(children: ReturnType<typeof actor>[]): Promise<ActorSystem> {
  const root = supervisor({ children, intensity: 1000 })
  const system = createSystem({ root, observers: [observer], watchdog: false })
  await system.start()
  return system
}

const asking = (system: ActorSystem, address: string, atOnce: number) =>
  cpuOf(MESSAGES, async () => {
    const lane = async () => {
      for (let i = 0; i < MESSAGES / atOnce; i++)
        await system.ref(address).ask({ type: 'get' }, { timeoutMs: 60_000 })
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
  })

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

async function measureMessages(): Promise<void> {
  const system = await start([actor('here', counter), actor('there', counter, { isolation })])
  await compare([
    ['ask, in the process', () => asking(system, '/here', 1)],
    ['ask, in a thread', () => asking(system, '/there', 1), 0],
    ['64 asks at a time, in the process', () => asking(system, '/here', 64)],
    ['64 asks at a time, in a thread', () => asking(system, '/there', 64), 2],
  ])
  await system.stop()
}

async function measureStarts(): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < KILLS; i++) {
    const began = performance.now()
    const system = await start([actor('there', counter, { isolation })])
    times.push(performance.now() - began)
    await system.stop()
  }
  console.log(`start of a system with one thread: ${median(times).toFixed(0)} ms`)
}

/** A message that loops is killed twice and parked; then the next is answered. */
async function measureKills(): Promise<void> {
  const [killed, answered]: [number[], number[]] = [[], []]
  for (let i = 0; i < KILLS; i++) {
    const system = await start([actor('there', counter, { isolation })])
    ends.length = 0
    const began = performance.now()
    system.ref('/there').send({ type: 'loop' })
    await system.ref('/there').ask({ type: 'get' }, { timeoutMs: 60_000 })
    const [first = NaN, last = NaN] = ends
    killed.push(first - began)
    answered.push(performance.now() - last)
    await system.stop()
  }
  console.log(
    `endless turn, limit ${TURN_TIMEOUT_MS} ms: killed after ${median(killed).toFixed(0)} ms`,
  )
  console.log(
    `from the last kill to the next answer: ${median(answered).toFixed(0)} ms (with a backoff of up to 200 ms)`,
  )
}

async function delayOf(loops: boolean): Promise<void> {
  const system = await start([actor('there', counter, { isolation: endless })])
  await system.ref('/there').ask({ type: 'get' }, { timeoutMs: 60_000 })
  if (loops) system.ref('/there').send({ type: 'loop' })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await new Promise((resolve) => setTimeout(resolve, LOOP_MS))
  delay.disable()
  const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1)
  const what = loops ? 'while a thread loops for ever' : 'while a thread idles'
  console.log(
    `a timer of the main loop, ${what}: median ${ms(delay.percentile(50))} ms, ` +
      `99 % ${ms(delay.percentile(99))} ms, at most ${ms(delay.max)} ms`,
  )
  await system.stop({ graceMs: 0 })
}

await measureMessages()
await measureStarts()
await measureKills()
await delayOf(false)
await delayOf(true)
