import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'

/** Microsteps of one machine in one step. XState's own default is no limit: an `always` loop would hang the process. */
export const MICROSTEPS_MAX = 10_000

interface Definition {
  readonly machine: AnyStateMachine
  /** Whether the limit on microsteps is ours and not its author's. */
  readonly isLimited: boolean
}

const definitions = new WeakMap<AnyStateMachine, Definition>()
let guardError: unknown

/** Told of each answer of a guard: by its machine, and by its name or its transition. */
export type GuardListener = (guard: string, answer: boolean) => void

let guardListener: GuardListener | undefined

/** Listens to the guards of all machines in this process until the answer is called; for coverage. */
export function listenToGuards(listener: GuardListener): () => void {
  const before = guardListener
  guardListener = listener
  return () => (guardListener = before)
}

/**
 * The same machine, made ready to be stepped: with a limit on microsteps where its author set none, and with guards
 * whose errors are not lost (XState keeps their message only).
 */
export function definitionOf(machine: AnyStateMachine): AnyStateMachine {
  const known = definitions.get(machine)
  if (known !== undefined) return known.machine
  const copy = machine.provide({ guards: watched(machine) } as never) as AnyStateMachine
  const options = copy.options
  const isLimited = !Number.isFinite(options.maxIterations)
  if (isLimited) options.maxIterations = MICROSTEPS_MAX
  watchInlineGuards(copy.root)
  const definition = { machine: copy, isLimited }
  definitions.set(machine, definition)
  definitions.set(copy, definition)
  return copy
}

/** The logic behind a `src`: named in `setup({ actors })`, or written inline in an invoke or a spawnChild. */
export function logicOf(machine: AnyStateMachine, src: unknown): unknown {
  if (typeof src !== 'string') return src
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(src)
  if (inline === null) return (machine.implementations.actors as Record<string, unknown>)[src]
  const invoke = machine.getStateNodeById(inline[2] ?? '').config.invoke as unknown
  const list = Array.isArray(invoke) ? (invoke as unknown[]) : [invoke]
  return (list[Number(inline[1])] as { src?: unknown } | undefined)?.src
}

/** An error of a step, with what XState leaves out: the cause of a guard's error, the machine and state of a loop. */
export function explained(error: unknown, machine: AnyStateMachine, value: unknown): unknown {
  const cause = guardError
  guardError = undefined
  if (!(error instanceof Error)) return error
  if (cause !== undefined && error.message.startsWith('Unable to evaluate guard')) {
    error.cause ??= cause
    return error
  }
  const isLoop = error.message.startsWith('Infinite loop detected')
  if (!isLoop || definitions.get(machine)?.isLimited !== true) return error
  return new AmbitError(
    'AMBIT_LOOP_LIMIT',
    `Machine "${machine.id}" in state ${JSON.stringify(value)} took more than ${MICROSTEPS_MAX} microsteps without ` +
      'coming to rest. Break the cycle of `always` or raised events, or set options.maxIterations.',
    { cause: error },
  )
}

type Guard = (args: unknown, params: unknown) => boolean

function watched(machine: AnyStateMachine): Record<string, unknown> {
  const guards = Object.entries(machine.implementations.guards as Record<string, unknown>)
  return Object.fromEntries(
    guards.map(([name, guard]) => [name, watch(guard, `${machine.id}: ${name}`)]),
  )
}

function watchInlineGuards(node: AnyStateNode): void {
  const transitions = [...node.transitions.values(), node.always ?? []].flat()
  for (const transition of transitions as { guard?: unknown; eventType: string }[]) {
    const name = `${node.id} on ${transition.eventType || 'always'}`
    if (transition.guard !== undefined) transition.guard = watch(transition.guard, name)
  }
  for (const child of Object.values(node.states)) watchInlineGuards(child)
}

/** Combinators hold others and are left as they are: the guard inside is the one that throws. */
function watch(guard: unknown, name: string): unknown {
  if (typeof guard !== 'function' || 'check' in guard) return guard
  return (args: unknown, params: unknown) => {
    try {
      const answer = (guard as Guard)(args, params)
      guardListener?.(name, answer)
      return answer
    } catch (error) {
      guardError = error
      throw error
    }
  }
}
