import { assign, sendTo, setup, type EventObject, type PromiseActorLogic } from 'xstate'
import {
  createCircuitBreaker,
  type CircuitBreakerAnswer,
  type CircuitBreakerOptions,
} from '../machines/circuit-breaker.ts'
import { childAddress, isSegment } from '../src/kernel/address.ts'
import type { PoolSpec } from '../src/kernel/supervisor-spec.ts'
import { pool } from './supervisor.ts'
import { AmbitError, type ErrorRecord } from '../src/kernel/errors.ts'
import { aFunction, atLeast, aText, checkOptions } from '../src/kernel/spec-check.ts'
import { tell } from '../src/logic/actions.ts'
import { ask, invocableOf } from '../src/logic/invocable.ts'
import { actor } from './actor.ts'

/**
 * A pool of circuit breakers, one for each dependency and tenant, each an actor that starts closed with the first call
 * it is asked about. Effects ask theirs through `throughBreaker`.
 */
export function circuitBreakers(id: string, options: CircuitBreakerOptions = {}): PoolSpec {
  const ms = atLeast(1)
  checkOptions(`The circuit breakers "${id}"`, options, {
    failuresMax: ms,
    resetMs: ms,
    resetFactor: ms,
    resetMsMax: ms,
    probeMs: ms,
  })
  return pool(id, actor('breaker', createCircuitBreaker(options)), { budget: 'each' })
}

export interface ThroughBreakerOptions<Input> {
  /** The address of the pool, such as `/breakers`. */
  readonly breakers: string
  /** What is called: letters, digits and `._~@#=+-`. */
  readonly dependency: string
  /** For whom; each has a breaker of its own. */
  readonly tenant?: (input: Input) => string
}

/** What a machine hears in `onError` when the breaker is open. */
export interface CircuitOpen extends ErrorRecord {
  readonly code: 'AMBIT_CIRCUIT_OPEN'
  readonly retryAfterMs: number
}

/** A breaker that says nothing for so long keeps nobody from calling. */
export const BREAKER_ANSWER_MS = 5000

/**
 * An effect, such as `readOnly` gives, that asks its circuit breaker first and tells it how the call ended. While that
 * is open the effect is not run: the machine hears `AMBIT_CIRCUIT_OPEN` with `retryAfterMs` in its `onError`, as it
 * would hear any failed effect, and nothing crashes.
 */
export function throughBreaker<Input, Output>(
  logic: PromiseActorLogic<Output, Input>,
  options: ThroughBreakerOptions<Input>,
): PromiseActorLogic<Output, Input> {
  const { breakers, dependency, tenant } = options
  const who = 'throughBreaker()'
  checkOptions(who, options, { breakers: aText, dependency: aText, tenant: aFunction })
  if (invocableOf(logic)?.kind !== 'effect')
    throw invalidLogic(`${who} expects an effect such as readOnly(...) gives, got another logic.`)
  const machine = setup({
    types: { context: {} as Call, input: {} as Input },
    actors: {
      admit: ask<{ to: string }>({
        to: ({ to }) => to,
        event: () => ({ type: 'breaker.ask' }),
        timeoutMs: BREAKER_ANSWER_MS,
      }),
      run: logic as PromiseActorLogic<unknown>,
    },
    guards: { isRefused: (_, answer: CircuitBreakerAnswer) => answer.type === 'breaker.refused' },
    actions: {
      succeeded: tell<Call, EventObject>(toOf, ({ context: { ticket } }) => ({
        type: 'breaker.succeeded',
        ticket,
      })),
      failed: tell<Call, EventObject>(toOf, ({ context: { ticket } }) => ({
        type: 'breaker.failed',
        ticket,
      })),
      // A step that throws undoes what it told: so it comes after.
      giveUp: sendTo(({ self }) => self, { type: 'breaker.giveUp' }),
    },
  }).createMachine({
    id: 'through-breaker',
    context: ({ input }) => ({
      input,
      to: breakerAddress(breakers, dependency, tenant?.(input)),
      ticket: '',
    }),
    initial: 'asking',
    states: {
      asking: {
        invoke: {
          src: 'admit',
          input: ({ context: { to } }) => ({ to }),
          onDone: [
            {
              guard: { type: 'isRefused', params: ({ event }) => answerIn(event.output) },
              target: 'failed',
              actions: [
                assign({ error: ({ context, event }) => circuitOpen(context.to, event.output) }),
                'giveUp',
              ],
            },
            {
              target: 'running',
              actions: assign({ ticket: ({ event }) => String(event.output.ticket) }),
            },
          ],
          onError: 'running',
        },
      },
      running: {
        invoke: {
          src: 'run',
          input: ({ context }: { context: Call }) => context.input,
          onDone: {
            target: 'done',
            actions: ['succeeded', assign({ output: ({ event }) => event.output })],
          },
          onError: {
            target: 'failed',
            actions: ['failed', assign({ error: ({ event }) => event.error }), 'giveUp'],
          },
        },
      },
      failed: {
        on: {
          'breaker.giveUp': {
            actions: assign(({ context }) => {
              throw context.error
            }),
          },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }: { context: Call }) => context.output,
  })
  // Invoked alike; only XState's types tell a machine from a promise.
  return machine as unknown as PromiseActorLogic<Output, Input>
}

interface Call {
  readonly input: unknown
  readonly to: string
  readonly ticket: string
  readonly output?: unknown
  readonly error?: unknown
}

function breakerAddress(breakers: string, dependency: string, tenant?: string): string {
  const id = tenant === undefined ? dependency : `${dependency}:${tenant}`
  if (isSegment(id)) return childAddress(breakers, id)
  throw invalidLogic(
    `A circuit breaker's dependency and tenant must be letters, digits or ._~:@#=+-, got "${id}".`,
  )
}

function toOf({ context }: { readonly context: Call }): string {
  return context.to
}

function answerIn(answer: { type: string }): CircuitBreakerAnswer {
  return answer as CircuitBreakerAnswer
}

function circuitOpen(to: string, answer: { type: string; retryAfterMs?: unknown }): CircuitOpen {
  const retryAfterMs = Number(answer.retryAfterMs)
  const message = `The circuit breaker "${to}" is open: the call was not made. Try again in ${retryAfterMs} ms.`
  return { name: 'AmbitError', code: 'AMBIT_CIRCUIT_OPEN', message, retryAfterMs }
}

function invalidLogic(message: string): AmbitError {
  return new AmbitError('AMBIT_SPEC_INVALID', message)
}
