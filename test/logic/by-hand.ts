import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextRound } from 'node:timers/promises'
import {
  actor,
  createSystem,
  manualClock,
  memory,
  sqlite,
  MANUAL_START,
  type ActorRef,
  type ActorSpec,
  type ActorSystem,
  type ChildSpec,
  type Event,
  type Journal,
  type Logger,
  type ManualClock,
  type MachineOptions,
} from 'ambit'
import { onTestFinished } from 'vitest'
import { assign, emit, setup, type AnyActorLogic, type AnyActorRef } from 'xstate'
import { silentLogger } from '../../src/kernel/ports/logger.ts'
import { faultyJournal } from '../support/faulty-journal.ts'

export type JournalKind = 'memory' | 'sqlite'

/** A journal of a kind; its folder goes with the test. */
export function journalOf(kind: JournalKind): Journal {
  if (kind === 'memory') return memory()
  const directory = mkdtempSync(join(tmpdir(), 'ambit-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return sqlite(directory)
}

/** One life of a system that is run by hand. */
export interface Life {
  readonly system: ActorSystem
  readonly clock: ManualClock
  /** The actor at `/it`. */
  readonly ref: ActorRef
  /** What the operations log was told at level warn or above. */
  readonly warnings: readonly string[]
  /** Sends to `/it` and lets everything come to rest. */
  readonly send: (event: Event | string) => Promise<void>
  readonly advance: (ms: number) => Promise<void>
  /** Lets promises, commits and their answers come to rest. */
  readonly settle: () => Promise<void>
}

export interface LifeOptions {
  readonly root?: ChildSpec
  readonly journal?: Journal
  readonly startAt?: number
}

const ROUNDS = 25

/** How often `blow` still fails. */
export const fuses = { left: 0 }

export const light = setup({
  types: {
    context: {} as { turns: number },
    events: {} as { type: 'next' | 'off' | 'break' | 'blow' },
  },
}).createMachine({
  id: 'light',
  context: { turns: 0 },
  initial: 'green',
  output: ({ context }) => context.turns,
  on: {
    blow: {
      actions: assign(() => {
        if (fuses.left-- > 0) throw new Error('a fuse')
        return {}
      }),
    },
    break: {
      actions: assign(() => {
        throw new Error('a fuse')
      }),
    },
  },
  states: {
    green: {
      tags: ['go'],
      meta: { says: 'walk' },
      on: {
        next: {
          target: 'red',
          actions: [
            assign({ turns: ({ context }) => context.turns + 1 }),
            emit(({ context }) => ({ type: 'turned', turns: context.turns })),
          ],
        },
      },
    },
    red: { tags: ['halt'], on: { next: 'green', off: 'out' } },
    out: { type: 'final' },
  },
})

/** What XState's snapshots have, with types that a test can lean on. */
export interface Shown {
  readonly value: unknown
  readonly context: Readonly<Record<string, unknown>>
  readonly status: string
  readonly output: unknown
  readonly error: unknown
  readonly tags: ReadonlySet<string>
  readonly children: Readonly<Record<string, AnyActorRef | undefined>>
  matches(value: unknown): boolean
  can(event: Event): boolean
  hasTag(tag: string): boolean
  getMeta(): unknown
}

export function shown(ref: { getSnapshot(): unknown }): Shown {
  return ref.getSnapshot() as Shown
}

/** A system by hand, not started. */
export function lifeOf(root: ChildSpec, options: LifeOptions = {}): Life {
  const { journal = memory(), startAt = MANUAL_START } = options
  const clock = manualClock(startAt)
  const warnings: string[] = []
  const logger = noting(warnings)
  const system = createSystem({ root, journal, clock, logger, scheduler: 'manual' })
  const settle = async () => {
    for (let round = 0; round < ROUNDS; round++) {
      system.drain()
      await nextRound()
    }
    system.drain()
  }
  const ref = system.ref('/it')
  return {
    system,
    clock,
    ref,
    warnings,
    settle,
    async send(event) {
      ref.send(typeof event === 'string' ? { type: event } : event)
      await settle()
    },
    async advance(ms) {
      clock.advance(ms)
      await settle()
    },
  }
}

/** A machine or other logic at `/it`, kept by nobody unless told so. */
export function alone(logic: AnyActorLogic, options: MachineOptions = {}): ActorSpec {
  return actor('it', logic, { durability: 'none', restart: 'temporary', ...options })
}

/** A started system by hand with one actor that keeps nothing. */
export function startAlone(logic: AnyActorLogic, options: MachineOptions = {}): Life {
  const life = lifeOf(alone(logic, options))
  life.system.start().catch(() => undefined)
  onTestFinished(() => life.system.stop({ graceMs: 0 }))
  return life
}

/** How a process ends: in order, or as `kill -9` ends it. */
export type Ending = 'stop' | 'crash'

export interface Past {
  /** Starts the next process on the same journal, `awayMs` after the last one ended. */
  begin(spec?: ChildSpec, awayMs?: number): Promise<Life>
  /** Makes one without starting it. */
  make(spec?: ChildSpec, awayMs?: number): Life
  end(): Promise<void>
  readonly journal: ReturnType<typeof faultyJournal>
}

/** Several lives over one journal, one after the other. */
export function pastOf(
  kind: JournalKind,
  ending: Ending,
  first: ChildSpec,
  options: { readonly storesGroups?: boolean } = {},
): Past {
  const journal = faultyJournal(journalOf(kind), options)
  let now = MANUAL_START
  let life: Life | undefined
  const end = async () => {
    const last = life
    life = undefined
    if (last === undefined) return
    now = last.clock.now()
    if (ending === 'crash') await journal.crash()
    else await last.system.stop({ graceMs: 0 })
  }
  onTestFinished(end)
  const make = (spec: ChildSpec = first, awayMs = 0) => {
    life = lifeOf(spec, { journal, startAt: now + awayMs })
    return life
  }
  return {
    journal,
    make,
    end,
    async begin(spec, awayMs) {
      const next = make(spec, awayMs)
      await next.system.start()
      // A clock that stands still tells of what is overdue as soon as it is touched.
      await next.advance(0)
      return next
    },
  }
}

/** Every journal, and both ways to end. */
export const pasts = (['memory', 'sqlite'] as const).flatMap((journal) =>
  (['stop', 'crash'] as const).map((ending) => ({ journal, ending })),
)

function noting(warnings: string[]): Logger {
  const note = (fields: object, message?: string) => {
    const { err } = fields as { err?: { message?: string } }
    warnings.push([message, err?.message].filter((part) => part !== undefined).join(': '))
  }
  const logger: Logger = { ...silentLogger, warn: note, error: note, child: () => logger }
  return logger
}
