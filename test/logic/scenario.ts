import { assign, fromPromise, setup, type AnyStateMachine } from 'xstate'

/** What happens to a machine from outside, one step at a time. */
export type Step =
  | { readonly send: string; readonly n?: number }
  /** A delayed event falls due: by waiting under XState, by its id under Ambit. */
  | { readonly wait: number; readonly due: readonly string[] }
  | { readonly resolve: string; readonly output: unknown }
  | { readonly reject: string; readonly error: string }

export interface Scenario {
  readonly name: string
  readonly machine: AnyStateMachine
  readonly input?: unknown
  readonly steps: readonly Step[]
}

export interface Ctx {
  readonly log: readonly string[]
}

export type Ev = { type: string; n?: number; output?: unknown; error?: unknown }

export const fail = () => {
  throw new Error('an assign threw')
}

export const base = setup({
  types: { context: {} as Ctx, events: {} as Ev },
  actions: {
    note: assign(({ context }, params: { what: string }) => ({
      log: [...context.log, params.what],
    })),
    fail: assign(fail),
    noteEvent: assign(({ context, event }) => ({
      log: [...context.log, `${event.type} ${JSON.stringify(event.output ?? null)}`],
    })),
    noteError: assign(({ context, event }) => ({
      log: [...context.log, `${event.type} ${(event.error as Error).message}`],
    })),
  },
  guards: {
    isOne: ({ event }) => event.n === 1,
    isBig: ({ event }) => (event.n ?? 0) > 10,
    isEmpty: ({ context }) => context.log.length === 0,
  },
  actors: { work: fromPromise(() => new Promise<unknown>(() => undefined)) },
})

export const note = (what: string) => ({ type: 'note' as const, params: { what } })
export const context: Ctx = { log: [] }

export const send = (...types: string[]): Step[] => types.map((type) => ({ send: type }))
