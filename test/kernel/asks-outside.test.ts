import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import type { Event, Message, ReplyTo } from '../../src/kernel/message.ts'
import { ASKS_OUTSIDE_MAX, Outside, type Question } from '../../src/kernel/outside.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { observe } from '../../src/logic/actions.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { rejection } from '../support/refusal.ts'
import { rounds, run } from '../support/running.ts'

const textOf = (error: unknown) => (error as Error).message

/** What becomes of each question, by its number. */
class Asked {
  readonly clock = createManualClock()
  readonly outside = new Outside(this.clock, 'life')
  readonly waiting = new Map<number, Question>()
  readonly expected = new Map<number, string>()
  readonly ended = new Map<number, string>()
  private last = 0

  ask(timeoutMs: number): Question | undefined {
    const n = ++this.last
    const question = this.outside.ask(`/a${n % 3}`, 'q', timeoutMs)
    if (question === undefined) return undefined
    this.waiting.set(n, question)
    question.answer.then(
      (event) => this.end(n, `answer ${String(event.n)}`),
      (error: unknown) =>
        this.end(n, /did not answer/.test(textOf(error)) ? 'late' : textOf(error)),
    )
    return question
  }

  /** A question that waits, by chance. */
  pick(chance: number): [number, Question] | undefined {
    const all = [...this.waiting]
    return all[Math.floor(chance * all.length)]
  }

  answer(n: number, question: Question): boolean {
    this.waiting.delete(n)
    this.expected.set(n, `answer ${n}`)
    return this.outside.answer(question.replyTo, { type: 'a', n }, question.to)
  }

  refuse(n: number, { replyTo }: Question): void {
    this.waiting.delete(n)
    this.expected.set(n, `refused ${n}`)
    this.outside.refuse(replyTo, new Error(`refused ${n}`))
  }

  advance(ms: number): void {
    const now = this.clock.now() + ms
    for (const [n, { dueAt }] of this.waiting) {
      if (dueAt > now) continue
      this.waiting.delete(n)
      this.expected.set(n, 'late')
    }
    this.clock.advance(ms)
  }

  private end(n: number, how: string): void {
    if (this.ended.has(n)) throw new Error(`question ${n} ended twice`)
    this.ended.set(n, how)
  }
}

type Act = { readonly kind: string; readonly chance: number; readonly ms: number }

/** More lengths of timeouts than share a wake-up. */
const TIMEOUTS = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 0, Infinity]

function act(asked: Asked, { kind, chance, ms }: Act, old: Question[]): void {
  if (kind === 'ask') asked.ask(TIMEOUTS[Math.floor(chance * TIMEOUTS.length)] ?? 10)
  if (kind === 'advance') asked.advance(ms)
  const picked = asked.pick(chance)
  if (picked === undefined) return
  const [n, question] = picked
  const { invocation, address } = question.replyTo
  const answer = (to: ReplyTo, from: string) =>
    asked.outside.answer(to, { type: 'a', n: 'wrong' }, from)
  if (kind === 'answer') {
    expect(asked.answer(n, question)).toBe(true)
    old.push(question)
  }
  if (kind === 'refuse') {
    asked.refuse(n, question)
    old.push(question)
  }
  if (kind === 'stranger') expect(answer(question.replyTo, `${question.to}x`)).toBe(false)
  if (kind !== 'guess') return
  const before = old[Math.floor(chance * old.length)]
  if (before !== undefined) expect(answer(before.replyTo, before.to)).toBe(false)
  for (const name of [`${Number(invocation) + 16_384}`, `0${invocation}`, `${invocation}.0`, 'x'])
    expect(answer({ address, invocation: name }, question.to)).toBe(false)
  expect(answer({ address: `${address}x`, invocation }, question.to)).toBe(false)
}

const kinds = ['ask', 'ask', 'ask', 'answer', 'refuse', 'advance', 'stranger', 'guess']
const acts = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    ms: fc.integer({ min: 0, max: 60 }),
  }),
  { minLength: 1, maxLength: 300 },
)

describe('questions from outside', () => {
  test('M5 each hears its own answer, refusal or timeout, once, whatever the order', async () => {
    const isPaired = async (list: readonly Act[]) => {
      const asked = new Asked()
      const old: Question[] = []
      for (const each of list) act(asked, each, old)
      await rounds(2)
      expect([...asked.ended].sort()).toEqual([...asked.expected].sort())
      asked.outside.refuseAll()
      await rounds(2)
      expect(asked.ended.size).toBe(asked.expected.size + asked.waiting.size)
      expect(asked.clock.waiting).toBe(0)
    }
    await fc.assert(fc.asyncProperty(acts, isPaired), { numRuns: 150 })
  })

  test('M5 20,000 questions in any order of their ends keep to their pairs', async () => {
    const asked = new Asked()
    const random = fc.sample(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
      numRuns: 4000,
      seed: 7,
    })
    const chance = (i: number) => random[i % random.length] ?? 0
    const slots = new Set<number>()
    for (let i = 0; i < 20_000; i++) {
      const question = asked.ask(TIMEOUTS[i % TIMEOUTS.length] ?? 10)
      slots.add(Number(question?.replyTo.invocation) % 16_384)
      if (asked.waiting.size < 300 && i < 19_000) continue
      const [n, picked] = asked.pick(chance(i)) ?? []
      if (n === undefined || picked === undefined) continue
      if (i % 3 === 0) asked.refuse(n, picked)
      else asked.answer(n, picked)
      if (i % 50 === 0) asked.advance(Math.floor(chance(i + 1) * 20))
    }
    asked.outside.refuseAll()
    await rounds(2)
    for (const [n, how] of asked.expected) expect(asked.ended.get(n)).toBe(how)
    expect(asked.ended.size).toBe(20_000)
    // A slot is used again and again: otherwise as many would be kept as were ever asked.
    expect(slots.size).toBeLessThan(1000)
  })
})

/** Notes who asks and answers nobody. */
function silent(seen: Message[]) {
  const note = observe(() => undefined)
  return setup({ types: { events: {} as Event } }).createMachine({
    id: 'silent',
    on: { q: { guard: () => seen.push(thisTurn().message) > 0, actions: note } },
  })
}

describe('the limit of questions from outside', () => {
  test('M5 one more than the most is refused with the remedy, and there is room after a timeout', async () => {
    const { kernel, clock, rest } = await run([
      actor('a', silent([]), { durability: 'none', mailbox: { userLengthMax: 20_000 } }),
    ])
    const ends: string[] = []
    const ask = (timeoutMs: number) =>
      kernel
        .ref('/a')
        .ask({ type: 'q' }, { timeoutMs })
        .catch((error: unknown) => {
          ends.push(textOf(error))
        })
    for (let i = 0; i < ASKS_OUTSIDE_MAX; i++) void ask(i === 5 ? 50 : 1000)
    const { code, message } = await rejection(kernel.ref('/a').ask({ type: 'q' }))
    expect(code).toBe('AMBIT_EVENT_REFUSED')
    expect(message).toMatch(/10000 answers are awaited .*Come back later/)
    await rest()
    clock.advance(60)
    await rounds(2)
    expect(ends).toHaveLength(1)
    void ask(1000)
    await rounds(2)
    expect(ends).toHaveLength(1)
    expect((await rejection(kernel.ref('/a').ask({ type: 'q' }))).message).toContain('Come back')
    await kernel.stop()
    await rounds(2)
    expect(ends).toHaveLength(ASKS_OUTSIDE_MAX + 1)
    expect(ends.slice(1).every((each) => each.includes('The system stopped'))).toBe(true)
    await expect(kernel.ref('/a').ask({ type: 'q' })).rejects.toThrow('stopped')
  })

  test('M5 after a stop no wake-up is left of those who asked', async () => {
    const { kernel, clock, rest } = await run([actor('a', silent([]))])
    const before = clock.waiting
    const asked = TIMEOUTS.map((timeoutMs) =>
      kernel.ref('/a').ask({ type: 'q' }, { timeoutMs: timeoutMs + 1000 }),
    )
    await rest()
    const ends = Promise.allSettled(asked)
    await kernel.stop()
    expect((await ends).every(({ status }) => status === 'rejected')).toBe(true)
    expect(clock.waiting).toBeLessThanOrEqual(before)
  })
})
