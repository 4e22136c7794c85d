import { and, assign, setup, type AnyActorLogic, type EventObject } from 'xstate'
import type { World } from '../worlds.ts'

/** The context of every machine: a number, the last events, and how long it may go on. */
export interface Ctx {
  readonly n: number
  readonly log: readonly string[]
  readonly fuel: number
  /** How many children it has seen fail. */
  readonly errors: number
}

export type Ev = EventObject & {
  readonly v?: number
  readonly output?: unknown
  readonly error?: unknown
  readonly snapshot?: { readonly value?: unknown; readonly context?: unknown }
}

export interface Args {
  readonly context: Ctx
  readonly event: Ev
}

/** What the parts of one script share. */
export interface Kit {
  readonly note: World['note']
  readonly doors: Doors
  /** Of the machine that is being built. */
  readonly actors: Readonly<Record<string, AnyActorLogic>>
  readonly isChild: boolean
}

/** Promises that wait until the script ends them, in the order in which they began. */
export interface Doors {
  /** Whether promises have begun. */
  readonly used: boolean
  /** Waits until the script ends it. */
  open(): Promise<unknown>
  use(): void
  /** Ends the n-th of those that wait; nothing if none does. */
  end(n: number, end: (door: Door) => void): void
}

export interface Door {
  resolve(value: unknown): void
  reject(error: Error): void
}

export function createDoors(): Doors {
  const doors: Door[] = []
  let used = false
  return {
    get used() {
      return used
    },
    use() {
      used = true
    },
    open: () => new Promise((resolve, reject) => void doors.push({ resolve, reject })),
    end(n, end) {
      if (doors.length > 0) doors.splice(n % doors.length, 1).forEach(end)
    },
  }
}

/** An event in a line: its type and what of it is plain data. */
export function describeEvent({ type, v, output, error, snapshot }: Ev): string {
  const parts = { v, output, error: messageOf(error), state: snapshot?.value ?? snapshot?.context }
  return `${type} ${JSON.stringify(parts)}`
}

export function messageOf(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return error.message as string
  }
  return JSON.stringify(error)
}

export function fail(what: string): never {
  throw new Error(what)
}

const logged = 3

/** Named actions, guards and delays that every machine has. */
export function createSetup({ note, actors }: Kit) {
  return setup({
    types: { context: {} as Ctx, events: {} as Ev, input: {} as { readonly n: number } },
    actors: actors as Record<string, never>,
    actions: {
      note: ({ context }, params: { readonly what: string }) => note(params, context.n),
      noteEvent: ({ event }) => note('event', describeEvent(event)),
      add: assign({ n: ({ context }, params: { readonly n: number }) => context.n + params.n }),
      record: assign({
        log: ({ context, event }) => [...context.log, describeEvent(event)].slice(-logged),
      }),
      failAction: () => fail('an action threw'),
      failAssign: assign(() => fail('an assign threw')),
      burn: assign({
        fuel: ({ context }) => (context.fuel > 0 ? context.fuel - 1 : fail('out of fuel')),
        errors: ({ context, event }) =>
          context.errors + (event.type.startsWith('xstate.error.actor') ? 1 : 0),
      }),
    },
    guards: {
      odd: ({ context }) => context.n % 2 === 1,
      under: ({ context }, params: { readonly limit: number }) => context.n < params.limit,
      both: and(['odd', { type: 'under', params: { limit: 8 } }]),
      throwing: () => fail('a guard threw'),
    },
    delays: { short: 7, long: 30, grown: ({ context }) => 4 + Math.abs(context.n % 5) },
  })
}
