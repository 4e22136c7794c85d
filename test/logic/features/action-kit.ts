import { createMachine, setup, type AnyStateMachine } from 'xstate'
import type { Hand, World } from '../worlds.ts'

/** One loose event type for every script here: what matters is when it is taken. */
export interface Ev {
  readonly type: string
  readonly n?: number
  readonly text?: string
  readonly input?: unknown
  readonly output?: unknown
  readonly error?: unknown
}

/** Machines without a context of their own. */
export const plain = setup({ types: { events: {} as Ev, emitted: {} as Ev } })

/** Machines that count. */
export const counting = setup({
  types: { context: {} as { readonly n: number }, events: {} as Ev, emitted: {} as Ev },
})

/** Makes actions that note one fixed thing. */
export const sayer = (world: World) => (what: string) => () => world.note(what)

/** Makes actions that note what they were called with. */
export const sayEvent =
  (world: World, who: string) =>
  ({ event }: { event: Ev }) =>
    world.note(who, event.type, event.n ?? '-')

export const sayCount =
  (world: World, who: string) =>
  ({ context }: { context: { readonly n: number } }) =>
    world.note(who, context.n)

/** A machine's config as far as a tour of its states needs it. */
export interface Chart {
  readonly [key: string]: unknown
  readonly states?: Readonly<Record<string, Chart>>
}

/** A machine that notes every state it enters and leaves. */
export function tracked(world: World, chart: Chart): AnyStateMachine {
  return createMachine(withNotes(world, chart, 'root') as never)
}

function withNotes(world: World, chart: Chart, path: string): Chart {
  const say = sayer(world)
  const below = Object.entries(chart.states ?? {}).map(([key, state]) => [
    key,
    withNotes(world, state, path === 'root' ? key : `${path}.${key}`),
  ])
  return {
    ...chart,
    entry: [say(`enter ${path}`), ...listOf(chart['entry'])],
    exit: [say(`exit ${path}`), ...listOf(chart['exit'])],
    ...(chart.states && { states: Object.fromEntries(below) as Record<string, Chart> }),
  }
}

function listOf(actions: unknown): readonly unknown[] {
  return actions === undefined ? [] : [actions].flat()
}

/** What these scripts look at in a snapshot. */
export interface View {
  readonly status: string
  readonly value: unknown
  readonly context: unknown
  readonly output: unknown
  readonly children: Readonly<Record<string, Hand['ref']>>
}

export const viewOf = ({ ref }: Pick<Hand, 'ref'>) => ref.getSnapshot() as View

/** Notes the state value of an actor, its keys in alphabetical order. */
export function sayValue(world: World, hand: Pick<Hand, 'ref'>): void {
  world.note('value', sortKeys(viewOf(hand).value))
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]))
}

/** Moves time on in steps and notes the state after each. */
export function watch(world: World, hand: Hand, ...steps: readonly number[]): void {
  for (const ms of steps) {
    hand.advance(ms)
    world.note('after', ms)
    sayValue(world, hand)
  }
}

/** A traffic light: a second of green, half a second of yellow, two seconds of red. */
export const light = plain.createMachine({
  id: 'light',
  initial: 'green',
  states: {
    green: { after: { 1000: 'yellow' } },
    yellow: { after: { 500: [{ target: 'red' }] } },
    red: { after: { 2000: { target: 'green' } } },
  },
})
