import { describe, expect, test } from 'vitest'
import { answers, approver, fromList, tool, type FaultName } from 'ambit/testing'
import type { ActorSystem } from '../../actors/system.ts'
import type { Case } from '../../machines/approval.ts'
import { AmbitError } from '../../src/kernel/errors.ts'
import type { EffectCall } from '../../src/kernel/ports/effect-host.ts'
import type { SignedStatement } from '../../src/envelope/statement.ts'
import { Choices } from '../../src/testing/choices.ts'
import { Courier, TRIES_MAX } from '../../src/testing/courier.ts'
import { Humans } from '../../src/testing/humans.ts'
import { Trace, describeEntry } from '../../src/testing/trace.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'
import { World } from '../../src/testing/world.ts'

/** What every part of a simulated world is given: of the faults, the first choices take the one that is given. */
function basics(fault?: FaultName, strikes = 1) {
  const time = new VirtualTime()
  const trace = new Trace(
    () => time.elapsed,
    () => undefined,
  )
  const choices = new Choices(fromList(Array<number>(strikes).fill(1)))
  const told = () => trace.entries.map((entry) => `${entry.elapsedMs} ${describeEntry(entry)}`)
  return { time, trace, choices, faults: fault === undefined ? [] : [fault], told }
}

/** Lets time pass until nothing is due any more, and promises say what they have to say. */
async function playOut(time: VirtualTime): Promise<void> {
  for (let ms: number | undefined = 0; ms !== undefined; ms = time.untilNext) {
    time.pass(ms)
    for (let due = time.takeDue(); due !== undefined; due = time.takeDue()) due.run()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

type Answer = () => Promise<string>
const stored: Answer = () => Promise.resolve('stored')

/** A courier before a system that answers as it is told, the last answer for ever. */
function post(answers: readonly (Answer | 'down')[], fault?: FaultName, strikes?: number) {
  const { told, ...calls } = basics(fault, strikes)
  const heard: number[] = []
  const left = [...answers]
  const up = {
    ref: () => ({
      deliver: () => {
        heard.push(calls.time.elapsed)
        const answer = left.length > 1 ? left.shift() : left[0]
        return (answer as Answer)()
      },
    }),
  } as unknown as ActorSystem
  const courier = new Courier({
    ...calls,
    system: () => {
      if (left[0] !== 'down') return up
      if (left.length > 1) left.shift()
      return undefined
    },
    touched: () => undefined,
  })
  courier.send('m-1', { to: '/a', event: { type: 'go' } })
  return { time: calls.time, heard, told }
}

const refusedAs = (code: 'AMBIT_EVENT_REFUSED' | 'AMBIT_STOPPED', message: string) => () =>
  Promise.reject(new AmbitError(code, message))

describe('the courier', () => {
  test.each<[string, FaultName | undefined, number[], number]>([
    ['no fault', undefined, [0], 0],
    ['a drop', 'drop', [1000], 1000],
    ['a duplicate', 'duplicate', [0, 0], 0],
    ['a delay', 'delay', [1000, 5000], 1000],
    ['a cut', 'cut', [0, 1000], 1000],
  ])(
    'V10 %s: when the system hears of it, and when the sender of an answer',
    async (_, fault, at, over) => {
      const { time, heard, told } = post([stored], fault)
      await playOut(time)
      expect(heard).toEqual(at)
      expect(told().at(-1)).toBe(`${over} m-1 was acknowledged`)
      expect(told().filter((line) => line.includes('fault'))).toEqual(
        fault === undefined ? [] : [`0 fault: ${fault} at go to /a`],
      )
    },
  )

  test('V10 what is refused for good is not sent again', async () => {
    const { time, heard, told } = post([refusedAs('AMBIT_EVENT_REFUSED', 'Nobody is there.')])
    await playOut(time)
    expect(heard).toEqual([0])
    expect(told().at(-1)).toBe('0 m-1 was refused: Nobody is there.')
  })

  test('V10 what cannot be taken now, and what nobody is there to take, is sent again', async () => {
    const full = refusedAs('AMBIT_EVENT_REFUSED', '/a did not take it: full.')
    const { time, heard, told } = post([full, 'down', refusedAs('AMBIT_STOPPED', 'Gone.'), stored])
    await playOut(time)
    expect(heard).toEqual([0, 2000, 3000])
    expect(told().at(-1)).toBe('3000 m-1 was acknowledged')
  })

  test(`V10 a sender gives up after ${TRIES_MAX} tries`, async () => {
    const { time, heard, told } = post([stored], 'drop', TRIES_MAX)
    await playOut(time)
    expect(heard).toEqual([])
    expect(told().filter((line) => line.includes('drop'))).toHaveLength(TRIES_MAX)
    expect(time.elapsed).toBe(TRIES_MAX * 1000)
  })

  test('V10 what a process says that is gone by then, nobody hears', async () => {
    const { told: _, ...calls } = basics()
    const systemOf = (answer: Answer) =>
      ({ ref: () => ({ deliver: answer }) }) as unknown as ActorSystem
    let running = systemOf(() => {
      running = systemOf(stored)
      return Promise.resolve('stored')
    })
    const courier = new Courier({ ...calls, system: () => running, touched: () => undefined })
    courier.send('m-1', { to: '/a', event: { type: 'go' } })
    await playOut(calls.time)
    expect(calls.trace.entries.at(-1)).toMatchObject({ kind: 'acknowledged', elapsedMs: 1000 })
  })
})

const HOUR_MS = 3_600_000
const found = (over: Partial<Case>, time: VirtualTime) =>
  ({ id: 'c-1', kind: 'approval', digest: 'd', expiresAt: time.now + 2 * HOUR_MS, ...over }) as Case

function ask(people: Parameters<typeof approver>[1], fault?: FaultName, over: Partial<Case> = {}) {
  const { told, ...calls } = basics(fault)
  const handedIn: string[] = []
  const nonces = new Set<string>()
  const submit = ({ statement }: SignedStatement) => {
    const { verdict, happened } = statement
    nonces.add(statement.nonce)
    handedIn.push(`${calls.time.elapsed} ${verdict}${happened === undefined ? '' : ` ${happened}`}`)
  }
  const humans = new Humans([approver('dana', people)], { ...calls, systemId: 's', submit })
  const opened = found(over, calls.time)
  humans.caseOpened(opened)
  humans.caseOpened(opened)
  return { time: calls.time, handedIn, nonces, told }
}

describe('a human', () => {
  test.each<[FaultName | undefined, string[]]>([
    [undefined, ['60000 approve']],
    ['approverSilent', []],
    ['approverLate', [`${3 * HOUR_MS} approve`]],
    ['approverTwice', ['60000 approve', '60001 approve']],
    ['approverContradicts', ['60000 approve', '60001 reject']],
  ])('V11 asked once, with %s: what is handed in, and when', async (fault, wanted) => {
    const { time, handedIn, told } = ask({}, fault)
    await playOut(time)
    expect(handedIn).toEqual(wanted)
    expect(told().filter((line) => line.includes('fault:'))).toHaveLength(
      fault === undefined ? 0 : 1,
    )
  })

  test('V11 judges as told, after the time it takes them, or not at all', async () => {
    const judged = ask({ afterMs: 5, judges: () => 'reject' })
    const doubt = ask({ afterMs: 5 }, undefined, { kind: 'inDoubt' })
    const silent = ask({ judges: () => undefined }, 'approverTwice')
    for (const { time } of [judged, doubt, silent]) await playOut(time)
    expect([judged, doubt, silent].map(({ handedIn }) => handedIn)).toEqual([
      ['5 reject'],
      ['5 settle true'],
      [],
    ])
    expect(silent.told()).toEqual([])
  })

  test('V11 signs the same in every run', () => {
    const [one, again, other] = ['dana', 'dana', 'erin'].map((person) => approver(person))
    expect(again?.keyId).toBe(one?.keyId)
    expect(other?.keyId).not.toBe(one?.keyId)
  })
})

const call = (over: Partial<EffectCall> = {}) =>
  ({
    name: 'pay',
    phase: 'execute',
    address: '/a',
    input: null,
    context: { idempotencyKey: 'k', attempt: 1, deadline: 0 },
    ...over,
  }) as EffectCall

function worldWith(effect: Parameters<typeof tool>[0] | 'answers', fault?: FaultName) {
  const calls = basics(fault)
  let count = 0
  const answer = () => ++count
  const pay = effect === 'answers' ? answers(answer) : tool({ answer, ...effect })
  const ready: (() => void)[] = []
  const world = new World({ ...calls, effects: { pay }, ready: (_, __, run) => ready.push(run) })
  const owner = {}
  const run = async (one = call()) => {
    const context = { ...one.context, deadline: calls.time.now + 500 }
    const ending = Promise.resolve(world.run(owner, { ...one, context }, () => 'own')).then(
      (value) => `answers ${String(value)}`,
      (error: unknown) => (error as Error).message,
    )
    for (const next of ready.splice(0)) next()
    await playOut(calls.time)
    return Promise.race([ending, Promise.resolve('silence')])
  }
  const happened = () => calls.trace.entries.filter(({ kind }) => kind === 'effectHappened').length
  return { run, happened, time: calls.time, world, owner, choices: calls.choices }
}

describe('the world', () => {
  test.each<[FaultName | undefined, string, number, number]>([
    [undefined, 'answers 1', 1, 0],
    ['effectError', 'simulated: pay failed, it did nothing', 0, 0],
    ['effectAnswerLost', 'simulated: pay failed, its answer got lost', 1, 0],
    ['effectTwice', 'answers 1', 1, 0],
    ['effectTimeout', 'silence', 1, 0],
    ['effectLate', 'answers 1', 1, 1500],
  ])(
    'V12 an effect with %s: its end, how often it happened, and when',
    async (fault, end, times, at) => {
      const { run, happened, time } = worldWith({}, fault)
      expect(await run()).toBe(end)
      expect(happened()).toBe(times)
      expect(time.elapsed).toBe(at)
    },
  )

  test('V12 a key that is honoured is done once, and one that is not each time', async () => {
    const [honest, careless, looking] = [
      worldWith({}),
      worldWith({ honoursKey: false }),
      worldWith('answers'),
    ]
    const ends = []
    for (const { run } of [honest, careless, looking]) ends.push([await run(), await run()])
    expect(ends).toEqual([
      ['answers 1', 'answers 1'],
      ['answers 1', 'answers 2'],
      ['answers 1', 'answers 2'],
    ])
    expect([honest, careless, looking].map(({ happened }) => happened())).toEqual([1, 2, 0])
    expect(await honest.run(call({ phase: 'compensate' }))).toBe('answers 2')
  })

  test('V12 a target without keys never hears of an effect twice by a fault', async () => {
    const { run, choices } = worldWith({ honoursKey: false }, 'effectTwice')
    await run()
    expect(choices.taken).toEqual([])
  })

  test('V12 a target says whether it happened as it is told, and yes otherwise', async () => {
    const verify = call({ phase: 'verify' })
    expect(await worldWith({}).run(verify)).toBe('answers true')
    const lost = worldWith({ verify: () => false })
    expect(await lost.run(verify)).toBe('answers false')
    expect(lost.happened()).toBe(0)
  })

  test('V12 what the world does not know runs its own code, and is waited for', async () => {
    const { run, world, owner, choices } = worldWith({}, 'effectError')
    expect(await run(call({ name: 'toString' }))).toBe('answers own')
    expect(choices.taken).toEqual([])
    let end: (value: string) => void = () => undefined
    const slow = world.run(
      owner,
      call({ name: 'slow' }),
      () => new Promise((resolve) => (end = resolve)),
    )
    expect(world.isWaiting).toBe(true)
    end('done')
    expect(await slow).toBe('done')
    expect(world.isWaiting).toBe(false)
  })
})
