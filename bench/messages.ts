import { createActor, fromTransition, type AnyActorLogic } from 'xstate'
import {
  actor,
  createSystem,
  pool,
  supervisor,
  thisTurn,
  type ActorRef,
  type ActorSystem,
} from 'ambit'
import { agentEvents, agentMachine, agentScript } from './support/agent-machine.ts'
import { compare, cpuOf, type Measured } from './support/measure.ts'

// What does the kernel cost a message, beside the step? In memory (durability `none`), the peer in the same run.

const ACTORS = 100
const MESSAGES = 120_000
const PLAIN = 1_000_000
const ASKS = 200_000

const counter = fromTransition((count: number, event: { type: string }) => {
  if (event.type === 'get') thisTurn().reply({ type: 'got', count })
  return count + 1
}, 0)

async function systemOf(logic: AnyActorLogic, events?: typeof agentEvents): Promise<ActorSystem> {
  const member = actor('member', logic, { durability: 'none', ...(events && { events }) })
  const system = createSystem({
    root: supervisor({ children: [pool('all', member)] }),
    scheduler: 'manual',
  })
  await system.start()
  return system
}

interface Playing {
  readonly system: ActorSystem
  readonly refs: readonly ActorRef[]
  readonly drain: () => void
}

function playing(system: ActorSystem): Playing {
  const refs = Array.from({ length: ACTORS }, (_, i) => system.ref(`/all/${i}`))
  for (const ref of refs) ref.getSnapshot()
  system.drain()
  return { system, refs, drain: () => system.drain() }
}

/** Sends the script to all actors in turn, one event to each before they are taken. */
function play(refs: readonly { send(event: never): unknown }[], drain: () => void): Measured {
  return cpuOf(MESSAGES, () => {
    for (let sent = 0; sent < MESSAGES;) {
      for (const event of agentScript) {
        for (const ref of refs) ref.send(event as never)
        drain()
        sent += refs.length
      }
    }
  })
}

function count(refs: readonly { send(event: never): unknown }[], drain: () => void): Measured {
  return cpuOf(PLAIN, () => {
    for (let sent = 0; sent < PLAIN; sent += refs.length) {
      for (const ref of refs) ref.send({ type: 'inc', from: 'x' } as never)
      drain()
    }
  })
}

function ask({ system, refs }: Playing, concurrency: number): Promise<Measured> {
  return cpuOf(ASKS, async () => {
    for (let asked = 0; asked < ASKS; asked += concurrency) {
      const answers = refs.slice(0, concurrency).map((ref) => ref.ask({ type: 'get' }, {}))
      system.drain()
      await Promise.all(answers)
    }
  })
}

const machines = Array.from({ length: ACTORS }, () => createActor(agentMachine).start())
const reducers = Array.from({ length: ACTORS }, () =>
  createActor(counter as never, undefined as never).start(),
)
const plainSystem = await systemOf(agentMachine)
const checkedSystem = await systemOf(agentMachine, agentEvents)
const countingSystem = await systemOf(counter)
const nothing = () => undefined

const [plain, checked, counting] = [plainSystem, checkedSystem, countingSystem].map(playing) as [
  Playing,
  Playing,
  Playing,
]
await compare([
  ['machine, actor.send of XState', () => play(machines, nothing)],
  ['machine, through the kernel', () => play(plain.refs, plain.drain), 0],
  ['machine, with a zod schema', () => play(checked.refs, checked.drain), 0],
  ['reducer, actor.send of XState', () => count(reducers, nothing)],
  ['reducer, through the kernel', () => count(counting.refs, counting.drain), 3],
  ['ask and reply, 64 at a time', () => ask(counting, 64)],
])
for (const system of [plainSystem, checkedSystem, countingSystem]) await system.stop()
for (const each of [...machines, ...reducers]) each.stop()
