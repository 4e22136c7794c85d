import type { AnyActorLogic } from 'xstate'
import { actor, type MachineOptions } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem, type ActorSystem, type SystemOptions } from '../../actors/system.ts'
import { inWorker, type InWorkerOptions } from '../../src/isolation/in-worker.ts'
import type { ActorSpec } from '../../src/kernel/child-spec.ts'
import type { ChildSpec } from '../../src/kernel/supervisor-spec.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { ExitReport, Observer } from '../../src/kernel/ports/observer.ts'

const rooms = new URL('../isolation/rooms.ts', import.meta.url)
const loader = new URL('./load-typescript.js', import.meta.url).href
/** So that a thread loads the sources as they are. */
export const nodeOptions = ['--import', loader, '--conditions=ambit-source']
const running: ActorSystem[] = []

export const WAIT_MS = 40_000

/** An actor of the test's machines in a thread of its own. */
export function inThread(
  id: string,
  logic: AnyActorLogic,
  name: string,
  options: MachineOptions & { readonly worker?: Partial<InWorkerOptions> } = {},
): ActorSpec {
  const { worker, ...rest } = options
  const isolation = inWorker(rooms, { export: name, nodeOptions, ...worker })
  return actor(id, logic, { ...rest, isolation })
}

export interface Started {
  readonly system: ActorSystem
  readonly exits: ExitReport[]
  readonly restarts: string[]
  /** Asks an actor and gives the answer's value. */
  readonly ask: (address: string, event: Event | string) => Promise<unknown>
}

export async function start(
  children: readonly ChildSpec[],
  options: Partial<SystemOptions> = {},
): Promise<Started> {
  const exits: ExitReport[] = []
  const restarts: string[] = []
  const observer: Observer = {
    onExit: (exit) => exits.push(exit),
    onRestart: ({ address }) => restarts.push(address),
  }
  const system = createSystem({
    root: supervisor({ children }),
    watchdog: false,
    ...options,
    observers: [observer, ...(options.observers ?? [])],
  })
  running.push(system)
  await system.start()
  return {
    system,
    exits,
    restarts,
    async ask(address, event) {
      const asked = typeof event === 'string' ? { type: event } : event
      const { value } = await system.ref(address).ask(asked, { timeoutMs: WAIT_MS })
      return value
    },
  }
}

/** For `afterEach`. */
export async function stopAll(): Promise<void> {
  for (const system of running.splice(0)) await system.stop({ graceMs: 0 })
}
