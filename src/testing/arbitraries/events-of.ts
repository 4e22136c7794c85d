import fc from 'fast-check'
import type { AnyStateMachine, EventFromLogic } from 'xstate'
import { eventTypes, movesFrom, startOf, take, type Configuration, type Move } from './chart.ts'
import type { Schema } from './definition.ts'
import { fromZod } from './from-zod.ts'
import { SequenceArbitrary } from './sequence.ts'

export interface EventsOfOptions {
  /** What an event carries besides its type, by type. Types that the machine does not know come as strays. */
  readonly schemas?: Readonly<Record<string, Schema>>
  /** Used instead of the schema of the same type. */
  readonly payloads?: Readonly<Record<string, fc.Arbitrary<object>>>
  /** Most events of a sequence. Default 20. */
  readonly upTo?: number
}

const EVENTS_MAX = 20
const CONFIGURATIONS_MAX = 1000
/** One event in so many is any that there is, whether or not the state takes it. */
const STRAY_EVERY = 8
/** Moves without an event after which a walk gives up, for each event it may have. */
const SILENT_MOVES = 4

interface Event {
  readonly type: string
}

interface Path {
  readonly types: readonly string[]
  readonly end: Configuration
}

interface Walk {
  readonly paths: readonly Path[]
  readonly types: readonly string[]
  readonly upTo: number
}

type Pick = <Item>(items: readonly [Item, ...Item[]]) => Item

/**
 * Sequences of events for a machine. Every second one begins with a shortest path to one of the transitions, so that
 * each has its turn; then, and else from the start, it goes where the chart leads, with a stray event now and then.
 *
 * Only the chart is walked: guards, `always`, `after` and ends of children may go either way, so a sequence is likely
 * to fit, not sure to, and a machine with invokes is walked like any other. Sequences shrink by leaving events out and
 * by smaller payloads. Throws as `fromZod` does.
 *
 * @example
 * eventsOf(refundMachine, { schemas: { 'refund.asked': z.object({ amount: money() }) } })
 */
export function eventsOf<Machine extends AnyStateMachine>(
  machine: Machine,
  options: EventsOfOptions = {},
): fc.Arbitrary<readonly EventFromLogic<Machine>[]> {
  const { schemas = {}, payloads = {}, upTo = EVENTS_MAX } = options
  const named = [...eventTypes(machine), ...Object.keys(schemas), ...Object.keys(payloads)]
  const types = [...new Set(named)]
  const start = startOf(machine)
  const paths = pathsFrom(start, types).filter((path) => path.types.length <= upTo)
  const events = new Map<string, fc.Arbitrary<Event>>()
  for (const type of types) events.set(type, eventArbitrary(type))
  for (const [type, schema] of Object.entries(schemas)) {
    events.set(type, eventArbitrary(type, fromZod(schema)))
  }
  for (const [type, body] of Object.entries(payloads)) events.set(type, eventArbitrary(type, body))
  const draw = (random: fc.Random) => {
    const origin: Path = { types: [], end: start }
    const walked = walkOn({ paths, types, upTo }, origin, random)
    // A type that only a wildcard takes is nobody's.
    return walked.map((type) => events.get(type) ?? eventArbitrary(type))
  }
  return new SequenceArbitrary(draw) as unknown as fc.Arbitrary<readonly EventFromLogic<Machine>[]>
}

function eventArbitrary(type: string, body = fc.constant<unknown>({})): fc.Arbitrary<Event> {
  return body.map((fields) => ({ ...(fields as object), type }))
}

/** The shortest path to each transition that an event triggers, breadth first; what is silent costs nothing. */
function pathsFrom(start: Configuration, types: readonly string[]): readonly Path[] {
  const paths = new Map<Move['transition'], Path>()
  const seen = new Set<string>()
  const queue: Path[] = [{ types: [], end: start }]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const key = path.end.map(({ id }) => id).join(' ')
    if (seen.has(key) || seen.size >= CONFIGURATIONS_MAX) continue
    seen.add(key)
    for (const move of movesFrom(path.end)) {
      const end = take(path.end, move)
      if (move.descriptor === undefined) {
        queue.unshift({ types: path.types, end })
      } else {
        const next = { types: [...path.types, typeFor(move.descriptor, types)[0]], end }
        if (!paths.has(move.transition)) paths.set(move.transition, next)
        queue.push(next)
      }
    }
  }
  return [...paths.values()]
}

function walkOn(walk: Walk, origin: Path, random: fc.Random): readonly string[] {
  const pick: Pick = (items) => items[random.nextInt(0, items.length - 1)] ?? items[0]
  const begin = isSome(walk.paths) && random.nextInt(0, 1) === 1 ? pick(walk.paths) : origin
  const types = [...begin.types]
  const length = random.nextInt(types.length, walk.upTo)
  let { end } = begin
  for (let i = 0; types.length < length && i < length * SILENT_MOVES; i++) {
    const next = nextMove(walk, end, random, pick)
    if (next === undefined) break
    if (next.type !== undefined) types.push(next.type)
    if (next.move !== undefined) end = take(end, next.move)
  }
  return types
}

/** A silent move and an event are equally likely where both may be; undefined at the end of the road. */
function nextMove(
  { types }: Walk,
  configuration: Configuration,
  random: fc.Random,
  pick: Pick,
): { move?: Move; type?: string } | undefined {
  if (isSome(types) && random.nextInt(1, STRAY_EVERY) === 1) return { type: pick(types) }
  const moves = movesFrom(configuration)
  const silent = moves.filter(({ descriptor }) => descriptor === undefined)
  const loud = moves.filter(({ descriptor }) => descriptor !== undefined)
  if (isSome(silent) && (!isSome(loud) || random.nextInt(0, 1) === 1)) return { move: pick(silent) }
  if (!isSome(loud)) return undefined
  const move = pick(loud)
  return { move, type: pick(typeFor(move.descriptor ?? '', types)) }
}

/** The types that a descriptor takes: itself, or for `order.*` those that begin so. */
function typeFor(descriptor: string, types: readonly string[]): readonly [string, ...string[]] {
  if (!descriptor.endsWith('*')) return [descriptor]
  const prefix = descriptor.slice(0, -1)
  const found = types.filter((type) => type.startsWith(prefix))
  return isSome(found) ? found : [`${prefix}any`]
}

function isSome<Item>(items: readonly Item[]): items is readonly [Item, ...Item[]] {
  return items.length > 0
}
