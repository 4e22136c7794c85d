import { describe, expect, test } from 'vitest'
import { assign, fromTransition, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply } from '../../src/logic/actions.ts'
import { ask } from '../../src/logic/invocable.ts'
import { disorderIn, errand, runner, seenBy, witness, type Onward } from '../support/errands.ts'
import { faultyJournal, type FaultyJournal } from '../support/faulty-journal.ts'
import { faultIn, headOf } from '../support/journal-kinds.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { rounds, run, valueOf } from '../support/running.ts'

const NODES = 4
const HOPS = 50

/** Passes each token on until it has gone far enough, and keeps what it took, with the numbers of its sender. */
const node = (i: number, clock: ManualClock) =>
  fromTransition(
    (
      state: { seen: readonly string[]; sent: number },
      event: { type: string; token?: number; hop?: number; n?: number },
    ) => {
      const turn = thisTurn()
      const { type, token = 0, hop = 0, n = 0 } = event
      if (type === 'seen') {
        turn.reply({ type: 'seen', value: [...state.seen] })
        return state
      }
      // A drain has few turns, so that there are many commits in which to crash.
      clock.spend(2)
      const from = turn.message.headers.from ?? 'outside'
      const seen = [...state.seen, `${from} ${n} ${token}.${hop}`]
      if (hop + 1 >= HOPS) return { ...state, seen }
      const sent = state.sent + 1
      turn.tell(`/n${(i + 1) % NODES}`, { type: 'token', token, hop: hop + 1, n: sent })
      return { seen, sent }
    },
    { seen: [], sent: 0 },
  )

interface RingOptions {
  readonly storesGroups: boolean
  readonly moment: 'before' | 'after'
  /** The commit with which the process dies; none when it is 0. */
  readonly at: number
}

/** Plays the ring with one crash; answers how many commits the first life had. */
async function playRing({ storesGroups, moment, at }: RingOptions): Promise<number> {
  const journal = faultyJournal(undefined, { storesGroups })
  const clock = createManualClock()
  const nodes = () => Array.from({ length: NODES }, (_, i) => actor(`n${i}`, node(i, clock)))
  const first = await run(nodes(), { journal, clock })
  const before = journal.commits
  let crashed: Promise<void> | undefined
  const die = () => {
    if (at > 0 && journal.commits - before >= at) crashed ??= journal.crash()
  }
  if (moment === 'before') journal.beforeCommit = die
  else journal.afterCommit = die
  const start = ({ kernel }: typeof first) =>
    Array.from({ length: NODES }, (_, token) => {
      const event = { type: 'token', token, hop: 0 }
      void kernel
        .ref(`/n${token}`)
        .deliver(event, { id: `token ${token}` })
        .catch(() => undefined)
    })
  start(first)
  while (crashed === undefined && !(await isStill(first.kernel))) clock.advance(10)
  const commits = journal.commits - before
  await crashed
  journal.beforeCommit = journal.afterCommit = () => undefined
  const last = crashed === undefined ? first : await run(nodes(), { journal, clock })
  start(last)
  await last.rest()
  for (let i = 0; i < NODES; i++) {
    const seen = await seenBy(last.kernel, `/n${i}`)
    const hops = Array.from({ length: NODES }, (_, token) =>
      Array.from({ length: HOPS }, (__, hop) => hop)
        .filter((hop) => (token + hop) % NODES === i)
        .map((hop) => `${token}.${hop}`),
    )
    expect(seen.map((each) => each.split(' ')[2]).sort()).toEqual(hops.flat().sort())
    expect(disorderIn(seen)).toEqual([])
  }
  expect((await last.kernel.session.recover()).outbox).toEqual([])
  const turns = await last.kernel.session.history({ limit: 1000 })
  expect(faultIn(turns, await headOf(last.kernel.session))).toBeUndefined()
  await last.kernel.stop()
  return commits
}

async function isStill(kernel: { atRest(): Promise<void> }): Promise<boolean> {
  let isIt = false
  void kernel.atRest().then(() => (isIt = true))
  await rounds(3)
  return isIt
}

describe('a crash in a ring of actors', () => {
  const cases = [true, false].flatMap((storesGroups) =>
    (['before', 'after'] as const).map((moment) => [moment, storesGroups] as const),
  )
  test.each(cases)(
    'T3 %s any commit loses, doubles and reorders none of 200 messages (groups %s)',
    async (moment, storesGroups) => {
      const commits = await playRing({ storesGroups, moment, at: 0 })
      expect(commits).toBeGreaterThan(20)
      for (let at = 1; at <= commits; at++) await playRing({ storesGroups, moment, at })
    },
    60_000,
  )
})

/** Asks `/peer` again and again until it has had so many answers. */
const asker = (peer: string, times: number) =>
  setup({
    types: { context: {} as { answers: number[] } },
    actors: {
      question: ask<number>({ to: peer, event: (n) => ({ type: 'q', n }), timeoutMs: Infinity }),
    },
  }).createMachine({
    id: 'asker',
    context: { answers: [] },
    initial: 'asking',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.answers })) } },
    states: {
      asking: {
        invoke: {
          src: 'question',
          input: ({ context }) => context.answers.length,
          onDone: {
            target: 'deciding',
            actions: assign({
              answers: ({ context, event }) => [...context.answers, Number(event.output.n)],
            }),
          },
        },
      },
      deciding: {
        always: [
          { guard: ({ context }) => context.answers.length < times, target: 'asking' },
          'rested',
        ],
      },
      rested: {},
    },
  })

const answerer = setup({ types: { events: {} as { type: 'q'; n: number } } }).createMachine({
  id: 'answerer',
  on: { q: { actions: reply(({ event }) => ({ type: 'a', n: event.n })) } },
})

const NAMES = ['a', 'b', 'c', 'd', 'e']
const ASKS = 30

/** A random tree of errands; notes which tags are done where. */
function plan(random: () => number, expected: Map<string, string[]>) {
  let tags = 0
  const pick = () => `/${NAMES[Math.floor(random() * NAMES.length)] ?? 'a'}`
  const grow = (to: string, depth: number): Onward => {
    const tag = `t${++tags}`
    expected.set(to, [...(expected.get(to) ?? []), tag])
    const width = depth === 0 ? 0 : Math.floor(random() * 4)
    return [to, errand(tag, ...Array.from({ length: width }, () => grow(pick(), depth - 1)))]
  }
  return () => grow(pick(), 5)
}

/**
 * At a random moment every commit fails or is a conflict until the clock moves on, so that nobody is blamed for it; at
 * others the answer is lost.
 */
function makeTrouble(
  journal: FaultyJournal,
  clock: ManualClock,
  random: () => number,
  failed: { count: number },
): void {
  const { afterCommit } = journal
  let downAt = -1
  let isConflict = false
  journal.beforeCommit = () => {
    if (downAt !== clock.now()) {
      if (random() > 0.15) return
      downAt = clock.now()
      isConflict = random() < 0.4
    }
    failed.count++
    if (!isConflict) throw new Error('not stored')
    journal.conflicts = 1
  }
  journal.afterCommit = (batch) => {
    afterCommit(batch)
    if (random() > 0.15) return
    failed.count++
    throw new Error('stored, but the answer got lost')
  }
}

const seeds = Array.from({ length: 8 }, (_, i) => i + 1)
const trials = [true, false].flatMap((storesGroups) =>
  seeds.map((seed) => [seed, storesGroups] as const),
)

test.each(trials)(
  'T3 random errands and questions happen once each and in order, whatever fails (seed %i, groups %s)',
  async (seed, storesGroups) => {
    const random = createSeededRandom(`run ahead ${seed}`)
    const journal = faultyJournal(undefined, { storesGroups })
    const clock = createManualClock()
    const boomed = new Set<string>()
    const onTake = (tag: string) => {
      clock.spend(random() < 0.1 ? 11 : 0.5)
      if (random() > 0.01 || boomed.has(tag)) return
      boomed.add(tag)
      throw new Error(`boom at ${tag}`)
    }
    const failed = { count: 0 }
    const observer = witness(journal)
    const root = supervisor({
      intensity: 1_000_000,
      children: [
        ...NAMES.map((id) => actor(id, runner(onTake))),
        actor('q1', asker('/x', ASKS)),
        actor('q2', asker('/x', ASKS)),
        actor('x', answerer),
      ],
    })
    const { kernel, settle } = await run([], {
      root,
      journal,
      clock,
      observers: [observer],
      random: { next: random, id: () => `life ${seed}` },
    })
    makeTrouble(journal, clock, random, failed)
    const expected = new Map<string, string[]>()
    const next = plan(random, expected)
    for (let i = 0; i < 25; i++) {
      const [to, event] = next()
      kernel.ref(to).send({ type: 'errand', ...event })
      await rounds(Math.floor(random() * 3))
      if (random() < 0.3) await settle()
    }
    await settle()
    expect(observer.early).toEqual([])
    journal.beforeCommit = journal.afterCommit = () => undefined
    journal.conflicts = 0
    for (const id of NAMES) {
      const seen = await seenBy(kernel, `/${id}`)
      const tags = seen.map((each) => each.split(' ')[2])
      expect(tags.sort()).toEqual([...(expected.get(`/${id}`) ?? [])].sort())
      expect(disorderIn(seen)).toEqual([])
    }
    const answers = Array.from({ length: ASKS }, (_, n) => n)
    for (const address of ['/q1', '/q2'])
      expect(await valueOf(kernel, address, { type: 'get' })).toEqual(answers)
    expect(failed.count).toBeGreaterThan(10)
    expect(kernel.alarms).toEqual([])
    expect(kernel.deadLetters.count()).toBe(0)
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
  },
  20_000,
)
