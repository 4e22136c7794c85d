import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parentAddress } from '../../src/kernel/address.ts'
import { play, type Limits, type Look, type Seen, type Sight } from '../support/grove-runs.ts'
import { groves } from '../support/groves.ts'
import { refutesAsync } from '../support/refutes.ts'

/** `AMBIT_TREES` trees of each kind; the same in every run unless AMBIT_SEED asks for others. */
const RUNS = Number(process.env.AMBIT_TREES ?? 300)
const LIMIT_MS = Math.max(60_000, RUNS * 200)
const SEED = Number(process.env.AMBIT_SEED ?? 2026)

/** Says what is wrong with what was seen; nothing if all is well. */
type Check = (seen: Seen) => string | undefined
interface Invariant {
  readonly check: Check
  /** What would be seen of a runtime that breaks it. */
  readonly spoil: (sights: readonly Sight[]) => readonly Sight[]
}

const invariants: Readonly<Record<string, Invariant>> = {
  'no actor lives twice at a time': {
    check: livesOnce,
    spoil: twice('begun'),
  },
  'children that are stopped together are stopped in reverse start order': {
    check: stopsInReverse,
    spoil: endsReversed,
  },
  'restarts within any period are no more than the intensity': {
    check: staysWithin,
    spoil: twice('restart'),
  },
  'nobody lives below a supervisor that is over': {
    check: nobodyIsOrphaned,
    spoil: (sights) =>
      sights.map((sight, at) => (sight.is === 'look' ? allAlive(sights, at, sight) : sight)),
  },
  'every message is processed, parked, a dead letter, or waits': {
    check: nothingIsLost,
    spoil: (sights) => sights.filter(({ is }) => is !== 'letter'),
  },
  'at rest what a supervisor says of its children is so': {
    check: saysWhatIs,
    spoil: (sights) =>
      sights.map((sight) => (sight.is === 'look' ? { ...sight, alive: [] } : sight)),
  },
}

describe('a running tree, whatever happens', () => {
  const all = Object.entries(invariants)

  test(
    'R30 keeps every invariant after every step',
    async () => {
      const holds = fc.asyncProperty(groves, async (grove) => {
        const seen = await play(grove)
        const faults = all.flatMap(([name, { check }]) => {
          const fault = check(seen)
          return fault === undefined ? [] : [`${name}: ${fault}`]
        })
        expect(faults).toEqual([])
      })
      await fc.assert(holds, { numRuns: RUNS, seed: SEED })
    },
    LIMIT_MS,
  )

  test.each(all)('R30 %s: the property refutes what breaks it', async (_, { check, spoil }) => {
    const broken = fc.asyncProperty(groves, async (grove) => {
      const { sights, limits } = await play(grove)
      expect(check({ sights: spoil(sights), limits })).toBeUndefined()
    })
    expect(await refutesAsync(broken)).toBe(true)
  })
})

function livesOnce({ sights }: Seen): string | undefined {
  const alive = new Set<string>()
  for (const sight of sights) {
    if (sight.is === 'ended') alive.delete(sight.address)
    if (sight.is !== 'begun') continue
    if (alive.has(sight.address)) return `${sight.address} lives twice`
    alive.add(sight.address)
  }
  return undefined
}

/** Between two starts below a supervisor, those it stops come in falling order; members of pools have none. */
function stopsInReverse({ sights, limits }: Seen): string | undefined {
  const last = new Map<string, string>()
  const unwanted = new Set<string>()
  for (const sight of sights) {
    if (sight.is === 'begun') last.delete(parentAddress(sight.address))
    if (sight.is === 'unwanted') unwanted.add(sight.address)
    if (sight.is === 'autoShutdown') unwanted.add(sight.supervisor)
    if (sight.is !== 'ended' || (sight.why !== 'shutdown' && sight.why !== 'killed')) continue
    const { address } = sight
    if (unwanted.delete(address)) continue
    const parent = parentAddress(address)
    if (address === '/' || limits.get(parent)?.budget !== undefined) continue
    const before = last.get(parent)
    if (before !== undefined && placeOf(before) < placeOf(address))
      return `${address} was stopped after ${before}`
    last.set(parent, address)
  }
  return undefined
}

/** Children of the spec are named by their place; those that were added come after, in the order of their numbers. */
function placeOf(address: string): number {
  const id = address.slice(address.lastIndexOf('/') + 1)
  return id.startsWith('n') ? 1000 + Number(id.slice(1)) : Number(id.at(-1))
}

/** A supervisor's next life counts anew. */
function staysWithin({ sights, limits }: Seen): string | undefined {
  const times = new Map<string, number[]>()
  for (const sight of sights) {
    if (sight.is === 'begun')
      for (const account of [...times.keys()])
        if (account.split(' ')[0] === sight.address) times.delete(account)
    if (sight.is !== 'restart') continue
    const { supervisor, child, at } = sight
    const { intensity, periodMs, budget } = limits.get(supervisor) as Limits
    const account = budget === 'each' ? `${supervisor} ${child}` : supervisor
    const known = [...(times.get(account) ?? []), at]
    times.set(account, known)
    const together = known.filter((each) => at - each <= periodMs)
    if (together.length > intensity)
      return `${account} restarts ${together.length} times in a period`
  }
  return undefined
}

function nobodyIsOrphaned({ sights }: Seen): string | undefined {
  for (const look of looksOf(sights))
    for (const address of look.alive)
      for (const over of look.over)
        if (address.startsWith(over === '/' ? '/' : `${over}/`))
          return `${address} lives below ${over}`
  return undefined
}

function nothingIsLost({ sights }: Seen): string | undefined {
  const owed = new Map<string, number>()
  const add = (to: string, count: number) => owed.set(to, (owed.get(to) ?? 0) + count)
  for (const sight of sights) {
    if (sight.is === 'sent') add(sight.to, 1)
    if (sight.is === 'turn' || sight.is === 'letter') add(sight.to, -1)
    if (sight.is !== 'look') continue
    for (const [to, count] of owed)
      if (count !== (sight.queued[to] ?? 0))
        return `${to} is owed ${count} messages, and ${sight.queued[to] ?? 0} wait`
  }
  return undefined
}

function saysWhatIs({ sights }: Seen): string | undefined {
  for (const { said, alive } of looksOf(sights))
    for (const [supervisor, running] of Object.entries(said ?? {})) {
      const live = alive.filter((address) => parentAddress(address) === supervisor).sort()
      if (String(live) !== String(running))
        return `${supervisor} says that ${running.join()} run, and ${live.join()} do`
    }
  return undefined
}

function looksOf(sights: readonly Sight[]): readonly Look[] {
  return sights.filter((sight) => sight.is === 'look')
}

function twice(is: Sight['is']): Invariant['spoil'] {
  return (sights) => sights.flatMap((sight) => (sight.is === is ? [sight, sight] : [sight]))
}

/** Each run of ends backwards. */
function endsReversed(sights: readonly Sight[]): readonly Sight[] {
  const turned: Sight[] = []
  let run: Sight[] = []
  for (const sight of sights) {
    if (sight.is === 'ended') run.unshift(sight)
    else {
      turned.push(...run, sight)
      run = []
    }
  }
  return [...turned, ...run]
}

/** As if nobody had ever ended. */
function allAlive(sights: readonly Sight[], at: number, look: Look): Look {
  const begun = sights
    .slice(0, at)
    .flatMap((sight) => (sight.is === 'begun' ? [sight.address] : []))
  return { ...look, alive: begun.filter((address) => !look.over.includes(address)) }
}
