import type { Address } from '../address.ts'
import type { EffectContext } from './engine.ts'

/** One effect that is about to run. */
export interface EffectCall {
  /** The governed action's name, or the `src` of what a machine invoked. */
  readonly name: string
  /** `run`: what a machine invoked; the others are those of a governed action. */
  readonly phase: 'run' | 'execute' | 'verify' | 'compensate'
  /** Whose effect it is: the agent, or the action. */
  readonly address: Address
  readonly input: unknown
  readonly context: EffectContext
}

/** Runs effects, or answers in their place: the one way from a system into the world. */
export interface EffectHost {
  /** `own` runs the effect's own code. What this returns or throws is how the effect ended. */
  run(call: EffectCall, own: () => unknown): unknown
}
