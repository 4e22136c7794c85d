import { childAddress, childId, isWithin, parentAddress, type Address } from '../kernel/address.ts'
import type { Strategy } from '../kernel/restart-plan.ts'
import type { RestartLimit } from '../kernel/restart-window.ts'
import { invariant, type Invariant } from './invariant.ts'
import type { TraceEntry } from './trace.ts'

/** A supervisor as its invariants have to know it. */
export interface SupervisorRule extends RestartLimit {
  readonly strategy: Strategy
  /** Ids in start order; none for a pool, whose members have no order. */
  readonly children: readonly string[]
}

type Rules = Readonly<Record<Address, SupervisorRule>>

/** What supervisors keep, for the supervisors of a tree that are given: the rules R3, R8, R14 and R30 of `SPEC.md`. */
export function supervision(rules: Rules): readonly Invariant[] {
  return [
    intensityPerSupervisor(rules),
    stopsInReverse(rules),
    restartsTogether(rules),
    endsWithItsSupervisor(rules),
    givingUpIsAFailure(),
  ]
}

/** All children of a supervisor share one budget of restarts, for each of its lives. */
function intensityPerSupervisor(rules: Rules): Invariant {
  return invariant('intensityPerSupervisor', () => {
    const times = new Map<Address, number[]>()
    return {
      see(entry) {
        if (entry.kind === 'started') times.clear()
        if (entry.kind === 'exit') times.delete(entry.address)
        const rule = isRestart(entry) ? rules[entry.supervisor] : undefined
        if (!isRestart(entry) || rule === undefined) return undefined
        const { supervisor, at } = entry
        const all = [...(times.get(supervisor) ?? []), at]
        times.set(supervisor, all)
        const recent = all.filter((each) => each <= at && at - each <= rule.periodMs)
        if (recent.length <= rule.intensity) return undefined
        return `${supervisor} restarts ${recent.length} times in ${rule.periodMs} ms, and may ${rule.intensity}.`
      },
    }
  })
}

/** Children that are stopped together are stopped in reverse start order. */
function stopsInReverse(rules: Rules): Invariant {
  return invariant('stopsInReverse', () => {
    const last = new Map<Address, number>()
    return {
      see(entry) {
        if (entry.kind === 'started') last.clear()
        if (entry.kind === 'restart') last.delete(parentAddress(entry.address))
        if (isRestart(entry)) last.delete(entry.supervisor)
        if (entry.kind !== 'exit') return undefined
        last.delete(entry.address)
        const supervisor = parentAddress(entry.address)
        const place = rules[supervisor]?.children.indexOf(childId(entry.address)) ?? -1
        if (place < 0 || entry.reason !== 'shutdown') return undefined
        const before = last.get(supervisor) ?? Infinity
        last.set(supervisor, place)
        if (place < before) return undefined
        return `${entry.address} was stopped after a child that started before it.`
      },
    }
  })
}

/** Nobody runs on whom the strategy takes along with a child that failed. */
function restartsTogether(rules: Rules): Invariant {
  return invariant('restartsTogether', () => {
    const down = new Set<Address>()
    /** Whose exit is awaited, before a failed child lives again. */
    const awaited = new Map<Address, Set<Address>>()
    return {
      see(entry) {
        if (entry.kind === 'started') {
          down.clear()
          awaited.clear()
        }
        if (entry.kind === 'exit') {
          down.add(entry.address)
          for (const group of awaited.values()) group.delete(entry.address)
        }
        if (isRestart(entry)) {
          const others = bystanders(rules[entry.supervisor], entry.child)
          const addresses = others.map((id) => childAddress(entry.supervisor, id))
          const alive = addresses.filter((address) => !down.has(address))
          awaited.set(childAddress(entry.supervisor, entry.child), new Set(alive))
        }
        if (entry.kind !== 'restart') return undefined
        down.delete(entry.address)
        const [left] = awaited.get(entry.address) ?? []
        awaited.delete(entry.address)
        if (left === undefined) return undefined
        return `${left} ran on while ${entry.address} was restarted, and belongs with it.`
      },
    }
  })
}

function bystanders(rule: SupervisorRule | undefined, child: string): readonly string[] {
  if (rule === undefined || rule.strategy === 'one_for_one') return []
  const { children, strategy } = rule
  return strategy === 'one_for_all'
    ? children.filter((id) => id !== child)
    : children.slice(children.indexOf(child) + 1)
}

/** Whoever lives below a supervisor that has ended does nothing any more, until somebody above restarts. */
function endsWithItsSupervisor(rules: Rules): Invariant {
  return invariant('endsWithItsSupervisor', () => {
    const over = new Set<Address>()
    /** In which life each failed last: what it did in that one may still be on its way to the disk. */
    const failed = new Map<Address, number>()
    return {
      see(entry) {
        if (entry.kind === 'started') {
          over.clear()
          failed.clear()
        }
        if (entry.kind === 'exit' && entry.reason === 'error')
          failed.set(entry.address, entry.incarnation)
        // Of one that was cut off, what its children did last may still be on its way to the disk.
        if (
          entry.kind === 'exit' &&
          rules[entry.address] !== undefined &&
          entry.reason !== 'killed'
        )
          over.add(entry.address)
        if (isRestart(entry))
          for (const each of [...over]) if (isWithin(each, entry.supervisor)) over.delete(each)
        if (entry.kind !== 'turn') return undefined
        const { actor, incarnation } = entry.record
        if (incarnation <= (failed.get(actor) ?? 0)) return undefined
        const ended = [...over].find((each) => isWithin(actor, each))
        return ended === undefined
          ? undefined
          : `${actor} made a turn, and its supervisor ${ended} is over.`
      },
    }
  })
}

/** A supervisor that gives up has failed, and its own supervisor hears so. */
function givingUpIsAFailure(): Invariant {
  return invariant('givingUpIsAFailure', () => {
    const gaveUp = new Set<Address>()
    return {
      see(entry) {
        if (entry.kind === 'started') gaveUp.clear()
        if (entry.kind === 'supervised' && entry.plan === 'giveUp') gaveUp.add(entry.supervisor)
        if (entry.kind !== 'exit' || !gaveUp.delete(entry.address)) return undefined
        const isFailure = entry.reason === 'restartIntensity' || entry.reason === 'killed'
        return isFailure ? undefined : `${entry.address} gave up and says "${entry.reason}".`
      },
    }
  })
}

type Restart = Extract<TraceEntry, { readonly kind: 'supervised' }>

function isRestart(entry: TraceEntry): entry is Restart {
  return entry.kind === 'supervised' && entry.plan === 'restart'
}
