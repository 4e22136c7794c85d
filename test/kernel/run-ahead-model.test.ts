import { describe, expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import type { Journal } from '../../src/kernel/ports/journal.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import type { Kernel } from '../../src/kernel/system.ts'
import type { Tree } from '../../src/kernel/tree.ts'
import { disorderIn, errand, runner, seenBy, type Onward } from '../support/errands.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { faultIn, headOf } from '../support/journal-kinds.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { make, rounds, run, until } from '../support/running.ts'

const ADDRESSES = ['/a', '/b', '/c', '/p/1', '/p/2', '/p/3', '/p/4']
const SEEDS = Number(process.env.MODEL_SEEDS ?? 20)
const FIRST = Number(process.env.MODEL_FIRST ?? 1)

interface Trouble {
  readonly journal: Journal
  /** From then on nothing fails. */
  end(): void
}

/** Whether the journal fails now: as long as the clock stands still it goes on as it began. */
function weather(clock: ManualClock, random: () => number) {
  let at = -1
  let isBad = false
  return () => {
    if (at !== clock.now()) {
      at = clock.now()
      isBad = random() < 0.2
    }
    return isBad
  }
}

/** A journal that answers at once, and fails at once now and then; what fails may have been stored. */
function troubledAtOnce(clock: ManualClock, random: () => number): Trouble {
  const inner = memoryJournal()
  const isBad = weather(clock, random)
  let isOver = false
  const journal: Journal = {
    async open() {
      const session = await inner.open()
      const commit = session.commit.bind(session)
      session.commit = (batch) => {
        if (isOver) return commit(batch)
        if (isBad()) throw new Error('not stored')
        const results = commit(batch)
        if (random() < 0.1) throw new Error('stored, but the answer got lost')
        return results
      }
      return session
    },
  }
  return { journal, end: () => void (isOver = true) }
}

/** The same for one that takes its time, with conflicts as well. */
function troubledLater(clock: ManualClock, random: () => number, storesGroups: boolean): Trouble {
  const journal = faultyJournal(undefined, { storesGroups })
  const isBad = weather(clock, random)
  journal.beforeCommit = (): void | Promise<void> => {
    if (isBad()) {
      if (random() < 0.5) throw new Error('not stored')
      journal.conflicts = 1
    }
    if (random() < 0.3) return rounds(2)
  }
  journal.afterCommit = () => {
    if (random() < 0.1) throw new Error('stored, but the answer got lost')
  }
  const end = () => {
    journal.beforeCommit = journal.afterCommit = () => undefined
    journal.conflicts = 0
  }
  return { journal, end }
}

const kinds: [string, (clock: ManualClock, random: () => number) => Trouble][] = [
  ['at once', troubledAtOnce],
  ['later', (clock, random) => troubledLater(clock, random, true)],
  ['later, without groups', (clock, random) => troubledLater(clock, random, false)],
]

/** A random tree of errands; notes which tags are done where. */
function plan(random: () => number, expected: Map<string, string[]>) {
  let tags = 0
  const grow = (depth: number): Onward => {
    const to = ADDRESSES[Math.floor(random() * ADDRESSES.length)] ?? '/a'
    const tag = `t${++tags}`
    expected.set(to, [...(expected.get(to) ?? []), tag])
    const width = depth === 0 ? 0 : Math.floor(random() * 4)
    return [to, errand(tag, ...Array.from({ length: width }, () => grow(depth - 1)))]
  }
  return () => grow(4)
}

/** Has members of the pool that only wait leave memory, as more than the limit of them would. */
function passivate(kernel: Kernel): void {
  const { tree } = kernel as unknown as { readonly tree: Tree }
  for (const cell of [...tree.all()])
    if (cell.isPassive && cell.turn === undefined) tree.remove(cell)
}

async function play(troubled: (typeof kinds)[number][1], seed: number): Promise<void> {
  const random = createSeededRandom(`model ${seed}`)
  const clock = createManualClock()
  const trouble = troubled(clock, random)
  const boomed = new Set<string>()
  const onTake = (tag: string) => {
    if (random() < 0.2) passivate(kernel)
    clock.spend(random() < 0.15 ? 11 : 0.5)
    if (random() > 0.02 || boomed.has(tag)) return
    boomed.add(tag)
    throw new Error(`boom at ${tag}`)
  }
  const limits = { intensity: 1_000_000 }
  const root = supervisor({
    ...limits,
    children: [
      // Messages between actors wait for room, in their order.
      ...['a', 'b', 'c'].map((id) => actor(id, runner(onTake), { mailbox: { userLengthMax: 2 } })),
      pool('p', actor('m', runner(onTake)), limits),
    ],
  })
  const { kernel, settle } = make([], {
    root,
    journal: trouble.journal,
    clock,
    random: { next: random, id: () => `life ${seed}` },
  })
  // After commits that failed the journal is left alone for a while, also as the children start one after the other.
  let isUp = false
  void kernel.start().then(() => (isUp = true))
  await until(() => {
    clock.advance(70)
    return isUp
  })
  const expected = new Map<string, string[]>()
  const next = plan(random, expected)
  for (let i = 0; i < 20; i++) {
    const [to, event] = next()
    while (kernel.ref(to).send({ type: 'errand', ...event }).status !== 'accepted') await settle()
    await rounds(Math.floor(random() * 3))
    if (random() < 0.3) clock.advance(70)
    if (random() < 0.2) await settle()
  }
  await settle()
  trouble.end()
  await settle()
  for (const address of ADDRESSES) {
    const seen = await seenBy(kernel, address)
    const tags = seen.map((each) => each.split(' ')[2])
    expect([address, ...tags.sort()]).toEqual([address, ...(expected.get(address) ?? []).sort()])
    expect(disorderIn(seen)).toEqual([])
  }
  expect([kernel.alarms, kernel.deadLetters.count('stopped')]).toEqual([[], 0])
  expect((await kernel.session.recover()).outbox).toEqual([])
  const turns = await kernel.session.history({ limit: 10_000 })
  expect(faultIn(turns, await headOf(kernel.session))).toBeUndefined()
  expect(causelessIn(turns)).toEqual([])
  expect(leftIn(kernel)).toEqual([])
  await kernel.stop()
}

/** What actors at rest still hold of commits that are over. */
function leftIn(kernel: Kernel): readonly string[] {
  const { tree } = kernel as unknown as { readonly tree: Tree }
  return [...tree.all()].flatMap(({ address, pending, bornWith, held, mailbox }) => [
    ...(pending === undefined ? [] : [`${address} has something to commit`]),
    ...(bornWith === undefined ? [] : [`${address} keeps what it was born with`]),
    ...(mailbox.length === 0 ? [] : [`${address} has messages`]),
    ...Object.values(held ?? {}).flatMap((messages) => messages.map(({ id }) => id)),
  ])
}

/** The turns whose message says that an actor sent it in a turn that the journal does not hold. */
function causelessIn(turns: readonly { readonly record: string }[]): readonly string[] {
  const held = new Set<string>()
  return turns.flatMap(({ record }) => {
    const {
      actor: by,
      generation,
      seq,
      message,
    } = JSON.parse(record) as {
      readonly actor: string
      readonly generation: number
      readonly seq: number
      readonly message: { readonly id: string }
    }
    held.add(`${by}:${generation}.${seq}`)
    const [, cause] = /^(\/.+:\d+\.\d+)\.\d+$/.exec(message.id) ?? []
    return cause === undefined || held.has(cause) ? [] : [message.id]
  })
}

describe.each(kinds)('random errands with a journal that fails %s', (_, troubled) => {
  const seeds = Array.from({ length: SEEDS }, (__, i) => FIRST + i)
  test.each(seeds)(
    'T3 all are done once, in order and never without their cause (seed %i)',
    async (seed) => {
      await play(troubled, seed)
    },
    20_000,
  )
})

test('R8 a supervisor that gives up in the middle of a chain loses and doubles nothing', async () => {
  const journal = faultyJournal()
  const [a, b] = ['/sub/a', '/sub/b']
  const boomer = runner((tag) => {
    if (tag === 'boom') throw new Error('boom')
  })
  const sub = supervisor({
    id: 'sub',
    intensity: 0,
    children: [actor('a', runner()), actor('b', boomer)],
  })
  const { kernel, settle } = await run([actor('s', runner()), sub], { journal })
  journal.beforeCommit = failing(2)
  const back = errand('3', [a, errand('4')])
  const first: Onward = [a, errand('1', [b, errand('2', ['/s', back])])]
  kernel.ref('/s').send(errand('0', first, [b, errand('boom')], [a, errand('5')], [b, errand('6')]))
  await settle()
  for (const i of [1, 2, 3])
    kernel.ref('/s').send(errand(`x${i}`, [a, errand(`y${i}`, [b, errand(`z${i}`)])]))
  await settle()
  expect((await seenBy(kernel, '/s')).map(tagOf)).toEqual(['0', '3', 'x1', 'x2', 'x3'])
  expect((await seenBy(kernel, a)).map(tagOf).sort()).toEqual(['1', '4', '5', 'y1', 'y2', 'y3'])
  expect((await seenBy(kernel, b)).map(tagOf).sort()).toEqual(['2', '6', 'z1', 'z2', 'z3'])
  expect(disorderIn(await seenBy(kernel, a))).toEqual([])
  const parked = [...kernel.rows(b).keys()].filter((key) => key.startsWith('~parked:'))
  expect([parked.length, kernel.alarms, leftIn(kernel)]).toEqual([1, [], []])
  await kernel.stop()
})

const tagOf = (seen: string) => seen.split(' ')[2]
