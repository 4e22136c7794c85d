import { actor, createSystem, manualClock, pool, supervisor, type ActorSystem } from 'ambit'
import { createActor, fromTransition } from 'xstate'
import { compare, cpuOf } from './support/measure.ts'

// What does a restart cost, through a real supervisor with strategy, window and kept mailbox? How soon after a crash is
// the next message taken? Does a child cost the same under a pool of a thousand and of a hundred thousand?

const CRASHES = 40_000
const CHILDREN = 100
const LATENCIES = 20_000
const SPAWNED = 100_000
const MEMBERS = [1_000, 10_000, 100_000]

let taken = 0
let crashedAt = 0
let crashes = 0
const failedOnce = new Set<number>()
/** A fault that passes: a `boom` fails once, and succeeds when it is taken again after the restart. */
const fragile = fromTransition((count: number, { type, n = 0 }: { type: string; n?: number }) => {
  if (type === 'boom' && !failedOnce.delete(n)) {
    failedOnce.add(n)
    crashes++
    crashedAt = performance.now()
    throw new Error('boom')
  }
  taken = performance.now()
  return count + 1
}, 0)

async function supervised(): Promise<ActorSystem> {
  const spec = (id: string) => actor(id, fragile, { durability: 'none' })
  const root = supervisor({
    strategy: 'one_for_one',
    intensity: 1_000_000,
    periodMs: 100,
    backoff: 'none',
    children: Array.from({ length: CHILDREN }, (_, i) => spec(`c${i}`)),
  })
  const system = createSystem({ root, scheduler: 'manual' })
  await system.start()
  return system
}

/** The message that failed is taken again after the restart; another waits in the mailbox meanwhile. */
async function restarts() {
  const system = await supervised()
  const refs = Array.from({ length: CHILDREN }, (_, i) => system.ref(`/c${i}`))
  crashes = 0
  failedOnce.clear()
  const measured = cpuOf(CRASHES, () => {
    for (let crash = 0; crash < CRASHES; crash += CHILDREN) {
      for (const [i, ref] of refs.entries()) {
        ref.send({ type: 'boom', n: crash + i })
        ref.send({ type: 'add' })
      }
      system.drain()
    }
  })
  if (system.alarms.length > 0) throw new Error('the supervisor gave up')
  if (crashes !== CRASHES) throw new Error(`${crashes} crashes instead of ${CRASHES}`)
  await system.stop()
  return measured
}

/** The same without supervision: throw, and make a new actor. */
function bare() {
  failedOnce.clear()
  return cpuOf(CRASHES, () => {
    for (let crash = 0; crash < CRASHES; crash++) {
      const ref = createActor(fragile)
      ref.subscribe({ error: () => undefined })
      ref.start()
      ref.send({ type: 'boom', n: crash })
    }
  })
}

async function latency(): Promise<{ p50: number; p99: number }> {
  failedOnce.clear()
  const system = await supervised()
  const ref = system.ref('/c0')
  const micros: number[] = []
  for (let i = 0; i < LATENCIES; i++) {
    ref.send({ type: 'boom', n: i })
    ref.send({ type: 'add' })
    system.drain()
    micros.push((taken - crashedAt) * 1000)
  }
  await system.stop()
  micros.sort((a, b) => a - b)
  const at = (share: number) => Math.round(micros[Math.floor(micros.length * share)] ?? 0)
  return { p50: at(0.5), p99: at(0.99) }
}

/** As many actors in all, under pools of so many each. */
async function spawning(members: number) {
  const pools = Array.from({ length: SPAWNED / members }, (_, i) => `p${i}`)
  const template = actor('m', fragile, { durability: 'none' })
  const system = createSystem({
    root: supervisor({ children: pools.map((id) => pool(id, template)) }),
    scheduler: 'manual',
    clock: manualClock(),
  })
  await system.start()
  const measured = cpuOf(SPAWNED, () => {
    for (const id of pools)
      for (let i = 0; i < members; i++) system.ref(`/${id}/${i}`).send({ type: 'add' })
    system.drain()
  })
  await system.stop()
  return measured
}

await compare([
  ['throw, and make a new actor (XState)', bare],
  ['restarts, supervised, mailbox kept', restarts, 0],
  ...MEMBERS.map(
    (members) => [`spawn under pools of ${members}`, () => spawning(members), 2] as const,
  ),
])
const { p50, p99 } = await latency()
console.log(`crash to next message: p50 ${p50} us, p99 ${p99} us`)
