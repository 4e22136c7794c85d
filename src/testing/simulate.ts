import type { ActorSystem } from '../../actors/system.ts'
import type { Clock } from '../kernel/ports/clock.ts'
import type { EffectHost } from '../kernel/ports/effect-host.ts'
import type { Journal } from '../kernel/ports/journal.ts'
import type { Observer } from '../kernel/ports/observer.ts'
import type { Random } from '../kernel/ports/random.ts'
import type { Schedule } from '../kernel/ports/schedule.ts'
import { ACTIONS } from '../../machines/action-steps.ts'
import { actionKey } from '../envelope/action.ts'
import type { Input, Operation } from './courier.ts'
import { SIMULATED_SYSTEM } from './disk.ts'
import { faults as everyFault, type FaultName } from './faults.ts'
import type { SimulatedHuman } from './humans.ts'
import type { Invariant } from './invariant.ts'
import { invariants as everyInvariant } from './invariants.ts'
import type { SimulatedEffects } from './world.ts'

/** What a simulated system is given in place of the machine it runs on: spread it into `createSystem`. */
export interface SimulationPorts {
  readonly journal: Journal
  readonly clock: Clock
  readonly random: Random
  readonly scheduler: 'manual'
  readonly schedule: Schedule
  readonly effects: EffectHost
  readonly observers: readonly Observer[]
}

export interface SimulationOptions {
  /** Names the simulation in reports and in the corpus. */
  readonly name: string
  /** Makes the system anew for each life of its process: `(ports) => createSystem({ root, ...ports })`. */
  readonly system: (ports: SimulationPorts) => ActorSystem
  /**
   * What comes from outside. A function is asked once a run, and may let the schedule choose: `choose(3)` is 0, 1 or 2,
   * and 0 in the simplest run.
   */
  readonly traffic: Traffic
  readonly world?: {
    /** What stands for effects, by action name or `src`. Effects without an entry run their own code. */
    readonly effects?: SimulatedEffects
    readonly humans?: readonly SimulatedHuman[]
  }
  /** What may go wrong. Default: `faults`, everything that can be survived. */
  readonly faults?: readonly FaultName[]
  /** What must hold. Default: `invariants`, all that need no options. */
  readonly invariants?: readonly Invariant[]
  /** `false`: the journal stores no groups, so that every message waits for its commit. Default: true. */
  readonly storesGroups?: boolean
}

export type Traffic =
  | readonly (Input | Operation)[]
  | ((choose: (ways: number) => number) => readonly (Input | Operation)[])

/** Where a governed action of a simulated system lives, by the action's name and the key of its input. */
export function addressOfAction(name: string, key: string): string {
  return `${ACTIONS}/${actionKey(SIMULATED_SYSTEM, name, key)}`
}

/** A simulation with its defaults filled in. */
export interface Scenario {
  readonly name: string
  readonly system: (ports: SimulationPorts) => ActorSystem
  readonly traffic: Traffic
  readonly effects: SimulatedEffects
  readonly people: readonly SimulatedHuman[]
  readonly faults: readonly FaultName[]
  readonly invariants: readonly Invariant[]
  readonly storesGroups: boolean
}

/** Describes a simulated world around a system. `check` plays it. */
export function simulate(options: SimulationOptions): Scenario {
  const { name, system, traffic, world = {}, storesGroups = true } = options
  return {
    name,
    system,
    traffic,
    effects: world.effects ?? {},
    people: world.humans ?? [],
    faults: options.faults ?? everyFault,
    invariants: options.invariants ?? everyInvariant,
    storesGroups,
  }
}
