import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createActor, initialTransition } from 'xstate'
import { actor, createSystem, pool, supervisor } from 'ambit'
import { agentMachine } from './support/agent-machine.ts'
import { thousands } from './support/measure.ts'

// What does an agent cost that only waits, and does the hundred-thousandth start as fast as the first thousand?

const AGENTS = 100_000
const FEW = 1000
const PEERS = 20_000
const ROUNDS = 5

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heap(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

/** Bytes that each of so many things keeps alive. */
function bytesEach<T>(count: number, make: (i: number) => T): { bytes: number; made: T[] } {
  const before = heap()
  const made = Array.from({ length: count }, (_, i) => make(i))
  return { bytes: (heap() - before) / count, made }
}

async function housed() {
  const member = actor('agent', agentMachine, { durability: 'none' })
  const root = supervisor({ children: [pool('all', member)] })
  const system = createSystem({ root, scheduler: 'manual' })
  await system.start()
  return system
}

/** Starts so many agents under one parent; each is there before the next is sent to. */
function startAgents(system: Awaited<ReturnType<typeof housed>>, count: number): void {
  for (let i = 0; i < count; i++) {
    system.ref(`/all/agent-${i}`).send({ type: 'unknown' })
    system.drain()
  }
}

/** So many houses of so many agents each: agents started a CPU second. */
async function rate(houses: number, count: number): Promise<number> {
  let used = 0
  for (let i = 0; i < houses; i++) {
    const system = await housed()
    const before = process.cpuUsage()
    startAgents(system, count)
    const { user, system: kernel } = process.cpuUsage(before)
    used += (user + kernel) / 1_000_000
    await system.stop()
  }
  return (houses * count) / used
}

async function bytesOfAgents(): Promise<number> {
  const system = await housed()
  const before = heap()
  startAgents(system, AGENTS)
  const bytes = (heap() - before) / AGENTS
  await system.stop()
  return bytes
}

const snapshots = bytesEach(PEERS, () => initialTransition(agentMachine)[0])
const peers = bytesEach(PEERS, () => createActor(agentMachine).start())
for (const peer of peers.made) peer.stop()

await rate(AGENTS / FEW, FEW)
let few = 0
let many = 0
for (let round = 0; round < ROUNDS; round++) {
  few = Math.max(few, await rate(AGENTS / FEW, FEW))
  many = Math.max(many, await rate(1, AGENTS))
}
const agent = await bytesOfAgents()
console.log(`the snapshot alone          ${thousands(snapshots.bytes)} bytes`)
console.log(`an actor of XState          ${thousands(peers.bytes)} bytes`)
console.log(
  `an idle agent of ${AGENTS}    ${thousands(agent)} bytes, ${thousands(agent - snapshots.bytes)} beyond its snapshot`,
)
console.log(
  `started under one parent, of ${FEW}: ${thousands(few)}/CPU-s, of ${AGENTS}: ${thousands(many)}/CPU-s`,
)
console.log(`ratio ${(many / few).toFixed(2)}`)
