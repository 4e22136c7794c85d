import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromTransition, setup } from 'xstate'
import {
  actor,
  agent,
  AmbitError,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  memory,
  pool,
  supervisor,
} from 'ambit'
import { z } from 'zod'
import { attempt } from '../support/hostile.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import { hostileText, isPrototypeClean, readableValue } from './support/hostile-values.ts'

const tally = new Tally('configuration')

const counter = fromTransition((count: number) => count + 1, 0)
const envelope = defineEnvelope({ id: 'e', owner: 'head', actions: { note: {} } })
const note = defineAction({
  name: 'note',
  input: z.object({}),
  key: () => 'k',
  idempotent: true,
  execute: async () => null,
})
const machine = setup({ actors: { note: governed(note) } }).createMachine({ id: 'm' })
const child = () => actor('child', counter)

/** What may be made, each from options of which some are good; an id stands under `id`. */
const makers: Readonly<Record<string, (options: never) => unknown>> = {
  actor: ({ id, ...rest }: { id: string }) => actor(id, counter, rest),
  agent: ({ id, ...rest }: { id: string }) => agent(id, machine, rest),
  supervisor: (options: never) => supervisor(options),
  pool: ({ id, member, ...rest }: { id: string; member: never }) => pool(id, member, rest),
  createSystem: (options: never) => createSystem(options),
  'a whole system': (options: object) =>
    createSystem({ root: supervisor({ children: [child()], ...options }) }),
}

const good = {
  actor: { id: 'a', restart: 'permanent', durability: 'none', mailbox: { userLengthMax: 5 } },
  agent: { id: 'a', envelope },
  supervisor: { children: [child()], intensity: 3, periodMs: 1000, envelope },
  pool: { id: 'p', member: child(), inputOf: () => 1 },
  createSystem: { root: supervisor({ children: [child()] }), journal: memory() },
  'a whole system': { intensity: 1 },
} as const

const names = [
  ...Object.values(good).flatMap((options) => Object.keys(options)),
  ...['strategy', 'name', 'input', 'events', 'migrations', 'snapshot', 'clock', 'random', 'logger'],
  ...['observers', 'scheduler', 'durabilty', 'restrat', 'maxRestarts', '__proto__', 'toString'],
]

const change = fc.record({ name: fc.constantFrom(...names), value: readableValue })

test(
  'Y11 any option of a spec or a system is taken, or refused with what was expected and what came',
  () => {
    const property = fc.property(
      fc.constantFrom(...(Object.keys(good) as (keyof typeof good)[])),
      fc.array(change, { minLength: 1, maxLength: 2 }),
      (kind, changes) => {
        tally.given()
        const options: object = { ...good[kind] }
        for (const { name, value } of changes)
          Object.defineProperty(options, name, {
            value: value.make(),
            enumerable: true,
            configurable: true,
          })
        tally.settle(judge(attempt(() => makers[kind]?.(options as never))))
      },
    )
    fc.assert(property, runs(3000))
  },
  LIMIT_MS,
)

test(
  'Y11 anything in place of the options, the id or the logic is refused likewise',
  () => {
    const property = fc.property(
      fc.constantFrom<(value: never) => unknown>(
        (value) => actor(value, counter),
        (value) => actor('a', value),
        (value) => actor('a', counter, value),
        (value) => agent(value, machine),
        (value) => agent('a', value),
        (value) => agent('a', machine, value),
        (value) => supervisor(value),
        (value) => pool(value, child()),
        (value) => pool('p', value),
        (value) => pool('p', child(), value),
        (value) => createSystem(value),
      ),
      fc.oneof(
        readableValue,
        hostileText.map((text) => ({ name: text, make: () => text })),
      ),
      (make, { make: value }) => {
        tally.given()
        tally.settle(judge(attempt(() => make(value() as never))))
      },
    )
    fc.assert(property, runs(2000))
  },
  LIMIT_MS,
)

function judge(result: unknown): boolean {
  expect(isPrototypeClean()).toBe(true)
  const { thrown } = (typeof result === 'object' ? result : {}) as { thrown?: unknown }
  if (thrown === undefined) return true
  expect(thrown).toBeInstanceOf(AmbitError)
  expect((thrown as AmbitError).message).toMatch(
    /expect|has no option|already has|asks for|belongs to|has no envelope|proposes/i,
  )
  expect((thrown as AmbitError).message).toMatch(/got|Use|Give|Rename|this version runs|Leave/)
  return false
}
