import { createActor, type AnyActorLogic, type AnyActorRef, type EventObject } from 'xstate'
import { setImmediate as nextRound } from 'node:timers/promises'
import { actor } from '../../actors/actor.ts'
import { createSystem, type ActorSystem } from '../../actors/system.ts'
import { manualClock } from '../../src/kernel/manual-clock.ts'
import { silentLogger, type Logger } from '../../src/kernel/ports/logger.ts'

/** One started actor that a script plays with by hand. Nothing happens between two calls. */
export interface Hand {
  /** XState's own actor, or Ambit's ref to one: `getSnapshot`, `subscribe`, `on`, `send`. */
  readonly ref: AnyActorRef
  /** Sends an event and runs everything that is due. */
  send(event: EventObject): void
  /** Moves virtual time on; timers fall due in their order. */
  advance(ms: number): void
  /** Lets promises and their answers come to rest. */
  settle(): Promise<void>
  stop(): void
}

/** Where a script runs: with XState's `createActor`, or with Ambit by hand. */
export interface World {
  start(logic: AnyActorLogic, options?: { readonly input?: unknown }): Hand
  /** Puts what was seen on the trace; both worlds must give the same one. */
  note(...seen: readonly unknown[]): void
}

export interface Script {
  readonly name: string
  run(world: World): void | Promise<void>
}

const TIMERS_FIRED_MAX = 10_000

/**
 * XState forgets how to cancel a delayed event when another of its id is set, so a state that is entered again by its
 * own `after` can have twice as many each time: no clock comes to their end.
 */
export class TimersMultiply extends Error {
  override readonly name = 'TimersMultiply'
}

/** Runs a script with XState itself: its trace is what Ambit's must equal. */
export async function traceOfXState(script: Script): Promise<readonly string[]> {
  const trace = createTrace()
  await script.run({
    note: trace.note,
    start(logic, { input } = {}) {
      const time = manualClock()
      const cancels = new Map<number, () => void>()
      let timers = 0
      let fired = 0
      const clock = {
        setTimeout: (run: () => void, ms: number) => {
          const id = timers++
          const fire = () => {
            if (++fired > TIMERS_FIRED_MAX) throw new TimersMultiply()
            run()
          }
          cancels.set(id, time.wakeAt(time.now() + ms, fire))
          return id
        },
        clearTimeout: (id: number) => cancels.get(id)?.(),
      }
      const logger = (...parts: unknown[]) => trace.note('log', ...parts)
      const actor = createActor(logic, { input, clock, logger } as never)
      actor.subscribe({ error: (error) => trace.note('failed', error) })
      actor.start()
      return {
        ref: actor,
        send: (event) => actor.send(event),
        advance: (ms) => time.advance(ms),
        settle,
        stop: () => void actor.stop(),
      }
    },
  })
  return trace.lines
}

/** Long enough for chains of promises that wait for nothing but each other. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await nextRound()
}

export function createTrace() {
  const lines: string[] = []
  return {
    lines,
    note: (...seen: readonly unknown[]) => void lines.push(seen.map(show).join(' ')),
  }
}

function show(seen: unknown): string {
  if (seen instanceof Error) return `${seen.name}: ${seen.message}`
  if (typeof seen === 'string') return seen
  return (JSON.stringify(seen) as string | undefined) ?? String(seen)
}

/** Runs a script with Ambit by hand: the manual scheduler, a clock that is moved, nothing kept. */
export async function traceOfAmbit(script: Script): Promise<readonly string[]> {
  const trace = createTrace()
  const systems: ActorSystem[] = []
  await script.run({
    note: trace.note,
    start(logic, { input } = {}) {
      const clock = manualClock()
      const options = { input, durability: 'none', restart: 'temporary' } as const
      const system = createSystem({
        root: actor('it', logic, options),
        scheduler: 'manual',
        clock,
        logger: { ...silentLogger, child: () => noting(trace.note) },
      })
      systems.push(system)
      const ref = system.ref('/it')
      const started = system.start()
      started.catch(() => undefined)
      ref.subscribe({ error: (error) => trace.note('failed', error) })
      const drain = () => system.drain()
      return {
        ref: ref as AnyActorRef,
        send(event) {
          ref.send(event)
          drain()
        },
        advance(ms) {
          clock.advance(ms)
          drain()
        },
        async settle() {
          for (let round = 0; round < 20; round++) {
            await nextRound()
            drain()
          }
        },
        stop() {
          ref.stop()
          drain()
        },
      }
    },
  })
  const seen = [...trace.lines]
  for (const system of systems) await system.stop({ graceMs: 0 })
  return seen
}

/** What a machine logs is noted as XState's own logger is called. */
function noting(note: World['note']): Logger {
  return {
    ...silentLogger,
    child: () => noting(note),
    info(fields, message) {
      const { value } = fields as { value?: unknown }
      if (message === 'log') note('log', value)
      else note('log', message, value)
    },
  }
}
