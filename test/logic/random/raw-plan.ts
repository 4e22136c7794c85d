import fc from 'fast-check'

/*
 * What fast-check draws: choices by number. `settlePlan` reads them into a plan in which every
 * target, child and id exists, so each shrunk choice is again a machine that can be built.
 */

export interface RawMachine {
  readonly parallel: boolean
  /** May throw, and may send to children that are not there. */
  readonly nervous: boolean
  readonly states: readonly RawState[]
  readonly parts: readonly RawPart[]
  readonly actors: readonly RawActor[]
  readonly initial: number
}

export interface RawState {
  readonly kind: 'plain' | 'final' | 'parallel'
  readonly initial: number
  /** Which history states it has. */
  readonly memory: number
  readonly parts: readonly RawPart[]
  readonly states: readonly RawState[]
}

export type PartKind =
  'on' | 'entry' | 'exit' | 'always' | 'after' | 'done' | 'tag' | 'initial' | 'invoke'

/** Something a state has; what does not fit the state is passed over. */
export interface RawPart {
  readonly part: PartKind
  readonly x: number
  readonly y: number
  readonly transition?: RawTransition
  readonly second?: RawTransition
  readonly third?: RawTransition
  readonly action?: RawAction
}

export interface RawTransition {
  readonly to: number
  readonly x: number
  readonly y: number
  readonly reenter: boolean
  readonly guard: RawGuard | undefined
  readonly actions: readonly RawAction[]
}

export type GuardKind = 'under' | 'odd' | 'event' | 'in' | 'both' | 'throwing'

export interface RawGuard {
  readonly is: GuardKind | 'and' | 'or' | 'not'
  readonly x: number
  readonly of?: readonly RawGuard[]
}

export type ActionKind =
  | 'note'
  | 'noteEvent'
  | 'record'
  | 'add'
  | 'throw'
  | 'raise'
  | 'sendSelf'
  | 'sendParent'
  | 'cancel'
  | 'emit'
  | 'log'
  | 'send'
  | 'forward'
  | 'stop'
  | 'spawn'

export interface RawAction {
  readonly do: ActionKind | 'enqueue'
  readonly x: number
  readonly y: number
  readonly check?: RawGuard
  readonly then?: readonly RawAction[]
  readonly otherwise?: readonly RawAction[]
}

export interface RawActor {
  readonly kind: 'promise' | 'machine' | 'callback' | 'transition' | 'family'
  readonly x: number
  readonly machine?: RawMachine
}

/** Draws the kinds as often as they weigh; shrinks towards the first. */
function weighted<Kind extends string>(weights: { readonly [K in Kind]?: number }) {
  const kinds = Object.entries(weights as Record<string, number>).flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind as Kind),
  )
  return fc.constantFrom(...kinds)
}

const number = fc.nat({ max: 5039 })
const seldom = (every: number) => fc.nat({ max: every - 1 }).map((n) => n === every - 1)

const plainGuard: fc.Arbitrary<RawGuard> = fc.record({
  is: weighted<GuardKind>({ under: 6, odd: 4, event: 3, in: 4, both: 1, throwing: 1 }),
  x: number,
})

const combinedGuard: fc.Arbitrary<RawGuard> = fc.record({
  is: weighted<'and' | 'or' | 'not'>({ not: 2, and: 1, or: 1 }),
  x: number,
  of: fc.array(plainGuard, { minLength: 1, maxLength: 2 }),
})

const guard = fc.oneof(
  { weight: 4, arbitrary: plainGuard },
  { weight: 1, arbitrary: combinedGuard },
)

const plainAction: fc.Arbitrary<RawAction> = fc.record({
  do: weighted<ActionKind>({
    note: 14,
    add: 12,
    noteEvent: 5,
    record: 4,
    raise: 7,
    sendSelf: 3,
    sendParent: 8,
    send: 14,
    forward: 3,
    spawn: 5,
    stop: 2,
    cancel: 3,
    emit: 4,
    log: 3,
    throw: 2,
  }),
  x: number,
  y: number,
})

const action: fc.Arbitrary<RawAction> = fc.oneof(
  { weight: 15, arbitrary: plainAction },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      x: number,
      y: number,
      check: guard,
      then: fc.array(plainAction, { minLength: 1, maxLength: 2 }),
      otherwise: fc.array(plainAction, { maxLength: 2 }),
    }),
  },
)

const transition: fc.Arbitrary<RawTransition> = fc.record({
  to: fc.constantFrom(1, 1, 1, 1, 1, 0, 0, 2),
  x: number,
  y: number,
  reenter: seldom(6),
  guard: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: guard },
  ),
  actions: fc.array(action, { maxLength: 2 }),
})

const maybe = (arbitrary: fc.Arbitrary<RawTransition>) =>
  fc.option(arbitrary, { freq: 2, nil: undefined })

const parts = {
  moving: fc.record({
    part: weighted<PartKind>({ on: 18, always: 1, after: 3, done: 4 }),
    x: number,
    y: number,
    transition,
  }),
  acting: fc.record({
    part: weighted<PartKind>({ entry: 6, exit: 3, initial: 1, tag: 1 }),
    x: number,
    y: number,
    action,
  }),
  invoking: fc.record({
    part: fc.constant('invoke' as const),
    x: number,
    y: number,
    transition: maybe(transition),
    second: maybe(transition),
    third: fc.option(transition, { freq: 1, nil: undefined }),
  }),
}

const part: fc.Arbitrary<RawPart> = fc.oneof(
  { weight: 16, arbitrary: parts.moving },
  { weight: 5, arbitrary: parts.acting },
  { weight: 3, arbitrary: parts.invoking as fc.Arbitrary<RawPart> },
)

/** A state with up to `levels` levels below it. */
function state(levels: number): fc.Arbitrary<RawState> {
  const leaf: fc.Arbitrary<RawState> = fc.record({
    kind: weighted({ plain: 3, final: 1 }) as fc.Arbitrary<RawState['kind']>,
    initial: number,
    memory: fc.constant(0),
    parts: fc.array(part, { minLength: 1, maxLength: 6, size: 'max' }),
    states: fc.constant([]),
  })
  if (levels === 0) return leaf
  const nest: fc.Arbitrary<RawState> = fc.record({
    kind: weighted({ plain: 2, parallel: 1 }) as fc.Arbitrary<RawState['kind']>,
    initial: number,
    memory: fc.nat({ max: 5 }),
    parts: fc.array(part, { maxLength: 5 }),
    states: fc.array(state(levels - 1), { minLength: 2, maxLength: 3 }),
  })
  return fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 2, arbitrary: nest })
}

const machineOf = (levels: number, actors: fc.Arbitrary<readonly RawActor[]>) =>
  fc.record({
    parallel: seldom(5),
    nervous: seldom(4),
    initial: number,
    parts: fc.array(part, { maxLength: 4 }),
    states: fc.array(state(levels), { minLength: 2, maxLength: 4 }),
    actors,
  }) as fc.Arbitrary<RawMachine>

const childMachine = machineOf(
  1,
  fc.array(fc.record({ kind: fc.constant('promise' as const), x: number }), { maxLength: 1 }),
)

const actor: fc.Arbitrary<RawActor> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      kind: weighted<RawActor['kind']>({ promise: 4, callback: 3, transition: 2, family: 1 }),
      x: number,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('machine' as const),
      x: number,
      machine: childMachine,
    }),
  },
)

export const rawMachineArbitrary: fc.Arbitrary<RawMachine> = machineOf(
  2,
  fc.array(actor, { maxLength: 3 }),
)
