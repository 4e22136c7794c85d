import type { Engine, Place } from '../kernel/ports/engine.ts'
import type { WorkerSpec } from './in-worker.ts'
import { AwayState, Tenant } from './tenant.ts'

/**
 * The same engine, whose steps and effects run in a thread of the actor's own. The main thread holds the state as it
 * is stored and remains the only one that commits. By hand there is one thread, and everything is as `engine` has it.
 */
export function awayEngine(engine: Engine, spec: WorkerSpec, governed: boolean): Engine {
  const at = (place: Place): Tenant => {
    place.slot ??= new Tenant(place, engine, spec, governed)
    return place.slot as Tenant
  }
  const { id, version, hash, opens } = engine
  return {
    id,
    version,
    hash,
    start: (input, place) => engine.start(input, place),
    step: (state, incoming, place) => engine.step(state, incoming, place),
    stepAway: (asked, place, turn) => (place.isByHand ? undefined : at(place).step(asked, turn)),
    persist: (state) => (state instanceof AwayState ? state.stored : engine.persist(state)),
    describe: (state) => (state instanceof AwayState ? state.value : engine.describe(state)),
    restore(stored, place) {
      if (place.isByHand) return engine.restore(stored, place)
      return at(place).restored(stored)
    },
    findUnheard: (state, delayed) =>
      engine.findUnheard?.(state instanceof AwayState ? state.here : state, delayed),
    invocable: (state, path, place) =>
      place.isByHand
        ? engine.invocable(state, path, place)
        : at(place).invocable(state as AwayState, path),
    view: (place) => engine.view?.(place.isByHand ? place : at(place).mirror),
    quiet(place) {
      if (place.isByHand) engine.quiet?.(place)
      else at(place).leave()
    },
    isLively: (place) => !place.isByHand && at(place).hasThread,
    doze: (place) => (place.isByHand ? engine.doze?.(place) !== false : at(place).doze()),
    migrate: (stored) => engine.migrate?.(stored),
    refuse: (event) => engine.refuse?.(event),
    ...(opens !== undefined && { opens }),
  }
}
