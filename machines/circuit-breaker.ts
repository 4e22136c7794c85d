import { assign, setup } from 'xstate'
import { thisTurn } from '../src/kernel/turn.ts'
import { reply } from '../src/logic/actions.ts'

export interface CircuitBreakerOptions {
  /** Failures in a row that open the breaker. Default 5. */
  readonly failuresMax?: number
  /** How long it stays open the first time, in milliseconds. Default 30,000. */
  readonly resetMs?: number
  /** By how much that grows each time its probe fails. Default 2. */
  readonly resetFactor?: number
  /** What it grows to at most. Default 600,000. */
  readonly resetMsMax?: number
  /** How long the one probe may take before it counts as failed, in milliseconds. Default 60,000. */
  readonly probeMs?: number
}

export const circuitBreakerDefaults: Required<CircuitBreakerOptions> = {
  failuresMax: 5,
  resetMs: 30_000,
  resetFactor: 2,
  resetMsMax: 600_000,
  probeMs: 60_000,
}

export type CircuitBreakerEvent =
  /** Asks whether a call may be made; answered with `breaker.admitted` or `breaker.refused`. */
  | { type: 'breaker.ask' }
  | { type: 'breaker.succeeded'; ticket: string }
  | { type: 'breaker.failed'; ticket: string }

export type CircuitBreakerAnswer =
  | { readonly type: 'breaker.admitted'; readonly ticket: string }
  | { readonly type: 'breaker.refused'; readonly retryAfterMs: number }

interface CircuitBreakerContext {
  /** Failures in a row while closed. */
  readonly failures: number
  /** How often it opened since it was last closed. */
  readonly opened: number
  /** When it lets the next call through, as far as is known. */
  readonly until: number
  /** Whose call is the probe. */
  readonly probe: string | null
}

/** How long a breaker stays open that has opened so often in a row. Pure. */
export function resetAfterMs(
  { resetMs, resetFactor, resetMsMax }: Required<CircuitBreakerOptions>,
  opened: number,
): number {
  return Math.min(resetMsMax, resetMs * resetFactor ** Math.max(0, opened - 1))
}

/**
 * Keeps calls away from a dependency that fails. Closed, it lets all through and counts failures in a row; open, it
 * refuses for a while; half open, it lets one probe through, whose end closes it or opens it for longer. A probe of
 * which nobody hears counts as failed.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}) {
  const limits = { ...circuitBreakerDefaults, ...options }
  const resetMs = ({ opened }: CircuitBreakerContext) => resetAfterMs(limits, opened)
  return setup({
    types: { context: {} as CircuitBreakerContext, events: {} as CircuitBreakerEvent },
    delays: { resetMs: ({ context }) => resetMs(context), probeMs: limits.probeMs },
    guards: {
      isLast: ({ context }) => context.failures + 1 >= limits.failuresMax,
      isProbe: ({ context, event }) => 'ticket' in event && event.ticket === context.probe,
    },
    actions: {
      admit: reply(() => ({ type: 'breaker.admitted', ticket: ticketNow() })),
      refuse: reply(({ context: { until } }) => ({
        type: 'breaker.refused',
        retryAfterMs: Math.max(1, until - thisTurn().now),
      })),
      opening: assign(({ context }) => {
        const next = { ...context, failures: 0, probe: null, opened: context.opened + 1 }
        return { ...next, until: thisTurn().now + resetMs(next) }
      }),
    },
  }).createMachine({
    id: 'circuit-breaker',
    version: '1',
    context: { failures: 0, opened: 0, until: 0, probe: null },
    initial: 'closed',
    states: {
      closed: {
        entry: assign({ failures: 0, opened: 0, probe: null }),
        on: {
          'breaker.ask': { actions: 'admit' },
          'breaker.succeeded': { actions: assign({ failures: 0 }) },
          'breaker.failed': [
            { guard: 'isLast', target: 'open' },
            { actions: assign({ failures: ({ context }) => context.failures + 1 }) },
          ],
        },
      },
      open: {
        entry: 'opening',
        on: { 'breaker.ask': { actions: 'refuse' } },
        after: { resetMs: 'halfOpen' },
      },
      halfOpen: {
        initial: 'waiting',
        states: {
          waiting: {
            on: {
              'breaker.ask': {
                target: 'probing',
                actions: [
                  'admit',
                  assign({
                    probe: () => ticketNow(),
                    until: () => thisTurn().now + limits.probeMs,
                  }),
                ],
              },
            },
          },
          probing: {
            on: {
              'breaker.ask': { actions: 'refuse' },
              'breaker.succeeded': { guard: 'isProbe', target: '#circuit-breaker.closed' },
              'breaker.failed': { guard: 'isProbe', target: '#circuit-breaker.open' },
            },
            after: { probeMs: '#circuit-breaker.open' },
          },
        },
      },
    },
  })
}

/** The message that asked names the call. */
function ticketNow(): string {
  return thisTurn().message.id
}
