import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { ManualClock } from '../../src/kernel/manual-clock.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { byHand } from '../support/driven.ts'
import { rounds } from '../support/running.ts'

interface Act {
  readonly kind: string
  readonly n: number
}

interface Notes {
  readonly count: number
  readonly notes: readonly string[]
}

/** Does what an event says, in every way that a reducer has. */
const reducer = (clock: () => ManualClock) =>
  fromTransition(
    (state: Notes, event: Event, scope): Notes => {
      const turn = thisTurn()
      const n = Number(event.n)
      const noted = (note: string): Notes => ({
        count: state.count + 1,
        notes: [...state.notes, note],
      })
      if (event.type === 'time') {
        const { now } = turn
        clock().turnTo(clock().now() + n - 2)
        return noted(`time ${now} ${turn.now === now}`)
      }
      if (event.type === 'turn') return noted(`${turn.seq} ${turn.random()} ${turn.address}`)
      if (event.type === 'tell') {
        turn.tell('/r/keeper', { type: 'note', n, seq: turn.seq })
        turn.tell('/nobody', { type: 'note', n })
      }
      if (event.type === 'tellSelf') turn.tell('/r/quick', { type: 'add', n })
      if (event.type === 'reply') turn.reply({ type: 'replied', n, count: state.count })
      if (event.type === 'emit') scope.emit({ type: 'emitted', n } as never)
      if (event.type === 'boom') throw new Error(`boom ${n}`)
      if (event.type === 'tellAndBoom') {
        turn.tell('/r/keeper', { type: 'note', n, seq: turn.seq })
        throw new Error('late')
      }
      if (event.type === 'same') return state
      return noted(`${event.type} ${n}`)
    },
    { count: 0, notes: [] },
  )

const keeper = () =>
  fromTransition(
    (state: readonly string[], { n, seq }: Event) => [...state, `${String(n)} ${String(seq)}`],
    [],
  )

/** How the slow way is forced: none, all the time, or by those who come and go. */
type Watching = 'never' | 'always' | 'now and then' | 'by an observer'

async function play(acts: readonly Act[], watching: Watching) {
  const random = createSeededRandom('quick')
  const observer = { onTurn: () => undefined }
  const root = supervisor({
    id: 'r',
    intensity: 1_000_000,
    children: [
      actor(
        'quick',
        reducer(() => world.clock),
        { durability: 'none' },
      ),
      actor('keeper', keeper(), { durability: 'none' }),
    ],
  })
  const world = byHand([root], {
    random: { next: random, id: () => 'life' },
    ...(watching === 'by an observer' && { observers: [observer] }),
  })
  const { system, ref } = world
  const answers: string[] = []
  const quick = ref('/r/quick')
  let watch: { unsubscribe(): void } | undefined
  for (const [i, { kind, n }] of acts.entries()) {
    if (watching === 'always' && watch === undefined) watch = quick.subscribe(() => undefined)
    if (watching === 'now and then' && i % 3 === 0) watch = quick.subscribe(() => undefined)
    if (watching === 'now and then' && i % 3 === 2) watch?.unsubscribe()
    if (kind === 'ask') {
      void quick.ask({ type: 'reply', n }, { timeoutMs: 5000 }).then(
        (answer) => answers.push(`${String(answer.n)} ${String(answer.count)}`),
        (error: unknown) => answers.push((error as Error).message),
      )
    } else if (kind === 'late')
      quick.send({ type: 'add', n }, { deadline: world.clock.now() - n + 3 })
    else if (kind === 'advance') world.advance(n * 1000)
    else quick.send({ type: kind, n })
    if (n % 2 === 0) system.drain()
  }
  for (let i = 0; i < 50; i++) world.advance(20_000)
  await rounds(2)
  const context = (address: string) => (ref(address).getSnapshot() as { context: unknown }).context
  const letters = system.deadLetters
    .list()
    .map(({ reason, message }) => `${reason} ${message.type}`)
  const found = {
    quick: context('/r/quick'),
    keeper: context('/r/keeper'),
    answers,
    letters,
    parked: [...system.rows('/r/quick').keys()].filter((key) => key.startsWith('~parked')).length,
    alarms: system.alarms.length,
  }
  await system.stop()
  return found
}

const kinds = [
  ...['add', 'add', 'time', 'turn', 'tell', 'tellSelf', 'reply', 'emit', 'same'],
  ...['boom', 'tellAndBoom', 'ask', 'ask', 'late', 'advance'],
]
const acts = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), n: fc.integer({ min: 0, max: 5 }) }),
  { minLength: 1, maxLength: 40 },
)

describe('a reducer of which nothing is kept', () => {
  test.each(['always', 'now and then', 'by an observer'] as const)(
    'B5 does the same the short way as when it is watched %s',
    async (watching) => {
      const isAlike = async (list: readonly Act[]) => {
        expect(await play(list, watching)).toEqual(await play(list, 'never'))
      }
      await fc.assert(fc.asyncProperty(acts, isAlike), { numRuns: 60 })
    },
  )
})
