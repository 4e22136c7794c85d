import { assign, setup, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'

export interface Ctx {
  readonly n: number
  readonly seen: readonly string[]
}

export type Ev = { type: string; n?: number; to?: string; output?: unknown; error?: unknown }

export const context: Ctx = { n: 0, seen: [] }

/** Named actions and guards that most charts share. */
export function createChart(world: World) {
  return setup({
    types: {
      context: {} as Ctx,
      events: {} as Ev,
      input: {} as { readonly n?: number },
      output: {} as string | number | object | null | undefined,
      meta: {} as Record<string, unknown>,
    },
    actions: {
      say: (_, what: string) => world.note(what),
      sayEvent: ({ event }) => world.note('event', event),
      add: assign({ n: ({ context }) => context.n + 1 }),
      set: assign({ n: (_, n: number) => n }),
      remember: assign({
        seen: ({ context }, what: string) => [...context.seen, what],
      }),
    },
    guards: {
      never: () => false,
      isBig: ({ context }) => context.n > 2,
      isOver: ({ context }, params: { readonly limit: number }) => context.n > params.limit,
      isOne: ({ event }) => event.n === 1,
    },
  })
}

export type Chart = ReturnType<typeof createChart>

export const say = (params: string) => ({ type: 'say', params }) as const

/** Entry and exit actions that tell when a state comes and goes. */
export const told = (name: string) => ({ entry: say(`enter ${name}`), exit: say(`exit ${name}`) })

export const snapshotOf = (hand: Hand) => hand.ref.getSnapshot() as AnyMachineSnapshot

/** Starts a machine, sends events, and notes where it stands after each. */
export function play(
  world: World,
  machine: AnyStateMachine,
  events: readonly (string | Ev)[] = [],
  input?: unknown,
): Hand {
  const hand = world.start(machine, { input })
  look(world, hand, 'start')
  for (const event of events) {
    const sent = typeof event === 'string' ? { type: event } : event
    hand.send(sent)
    look(world, hand, sent.type)
  }
  return hand
}

export function look(world: World, hand: Hand, label: string): void {
  const { value, context, status, output, error } = snapshotOf(hand) as {
    value?: unknown
    context?: unknown
    status: string
    output?: unknown
    error?: unknown
  }
  const message = error instanceof Error ? error.message : error
  world.note('>', label, inOrder(value), context, status, { output, error: message })
}

/** Plain data with its keys in order: the order of regions in a value carries no meaning. */
export function inOrder(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data
  const entries = Object.entries(data).map(([key, part]) => [key, inOrder(part)] as const)
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** A script of one machine and the events it is sent. */
export function chartScript(
  name: string,
  create: (chart: Chart, world: World) => AnyStateMachine,
  events: readonly (string | Ev)[] = [],
  input?: unknown,
): Script {
  return {
    name,
    run: (world) => void play(world, create(createChart(world), world), events, input),
  }
}
