import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fromChance,
  fromList,
  fromReplayLine,
  playRun,
  toReplayLine,
  type FaultName,
} from 'ambit/testing'
import { createSeededRandom } from '../../src/kernel/random.ts'
import type { Json } from '../../src/kernel/json.ts'
import { Choices } from '../../src/testing/choices.ts'
import { addToCorpus, readCorpus } from '../../src/testing/corpus.ts'
import { describeDifferences, differences } from '../../src/testing/difference.ts'
import { REPLAY_CHOICES_MAX } from '../../src/testing/replay-line.ts'
import type { Failure } from '../../src/testing/report.ts'
import { VIRTUAL_START, VirtualTime } from '../../src/testing/virtual-time.ts'
import { relay } from '../../examples/simulations/relay.ts'

describe('a replay line', () => {
  test('V7 says every schedule, and gives it back without its ordinary end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), (list) => {
        const end = list.findLastIndex((taken) => taken !== 0) + 1
        expect(fromReplayLine(toReplayLine(list))).toEqual(list.slice(0, end))
      }),
    )
  })

  test('V7 is one word', () => {
    expect(toReplayLine([0, 2, 0, 0, 1, 0])).toBe('1:1=2,4=1')
    expect(toReplayLine([])).toBe('1:')
    expect(fromReplayLine(' 1:1=2,4=1\n')).toEqual([0, 2, 0, 0, 1])
  })

  test.each(['', '17=2', '2:1=1', '1:1', '1:a=1', '1:1=-1', '1:1=1,', `1:${REPLAY_CHOICES_MAX}=1`])(
    'V7 "%s" is refused with what was expected',
    (line) => {
      const message =
        `Expected a replay line such as "1:17=2,40=1", got "${line}". ` +
        'Copy it from the report of a failure.'
      expect(() => fromReplayLine(line)).toThrow(new Error(message))
    },
  )

  test('V7 a long one that is refused is not shown whole', () => {
    expect(() => fromReplayLine('x'.repeat(500))).toThrow(`got "${'x'.repeat(60)}..."`)
  })
})

describe('differences', () => {
  const table: [Json | undefined, Json | undefined, string][] = [
    [1, 1, ''],
    [{ a: [1, 2] }, { a: [1, 2] }, ''],
    [1, 2, '(all): 1 -> 2'],
    [undefined, null, '(all): (none) -> null'],
    [
      { a: 1, b: { c: [1, 2] } },
      { a: 1, b: { c: [1, 3, 4] } },
      'b.c.1: 2 -> 3\nb.c.2: (none) -> 4',
    ],
    [{ a: [] }, { a: {} }, 'a: [] -> {}'],
    [{ a: 1 }, {}, 'a: 1 -> (none)'],
    [{ a: { b: 1 } }, { a: 'x' }, 'a: {"b":1} -> "x"'],
  ]
  test.each(table)('V7 %j and %j differ in: %s', (before, after, text) => {
    expect(describeDifferences(differences(before, after))).toBe(text)
  })

  test('V7 there are none between a value and its copy', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(differences(value as Json, structuredClone(value) as Json)).toEqual([])
      }),
    )
  })

  test('V7 no more are looked for than asked', () => {
    const [many, none] = [
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])),
      {},
    ]
    expect(differences(many, none)).toHaveLength(20)
    expect(differences(many, none, 3).map(({ path }) => path)).toEqual(['k0', 'k1', 'k2'])
  })
})

describe('virtual time', () => {
  function world() {
    const time = new VirtualTime()
    const log: string[] = []
    const runDue = () => {
      for (let due = time.takeDue(); due !== undefined; due = time.takeDue()) due.run()
      return log.splice(0)
    }
    const after = (owner: object, ms: number, name: string) =>
      time.after(owner, ms, name, () => log.push(name))
    return { time, after, runDue }
  }
  const [one, other] = [{}, {}]

  test('V8 what is due comes by its time, and in the order in which it was asked for', () => {
    const { time, after, runDue } = world()
    after(one, 20, 'late')
    after(one, 10, 'first')
    after(other, 10, 'second')
    after(one, -5, 'now')
    expect(runDue()).toEqual(['now'])
    expect(time.untilNext).toBe(10)
    time.pass(9)
    expect(runDue()).toEqual([])
    time.pass(11)
    expect(time.untilNext).toBe(0)
    expect(runDue()).toEqual(['first', 'second', 'late'])
    expect(time.untilNext).toBeUndefined()
  })

  test('V8 what is cancelled does not come, not even when it is due already', () => {
    const { time, after, runDue } = world()
    after(one, 10, 'never')()
    const cancel = after(one, 10, 'too late')
    time.pass(10)
    const taken = time.takeDue()
    cancel()
    taken?.run()
    expect(runDue()).toEqual([])
  })

  test('V8 of an owner that is gone nothing comes, whenever it was asked for', () => {
    const { time, after, runDue } = world()
    after(one, 10, 'before')
    after(other, 10, 'of another')
    time.forget(one)
    after(one, 10, 'afterwards')
    time.clockOf(one).soon(() => expect.unreachable())
    time.pass(100)
    expect(runDue()).toEqual(['of another'])
  })

  test('V8 a leap moves the wall clock, and nothing that is due', () => {
    const { time, after, runDue } = world()
    const clock = time.clockOf(one)
    const fired: number[] = []
    clock.wakeAt(clock.now() + 1000, () => fired.push(clock.now()))
    after(one, 1000, 'due')
    time.leap(-3_600_000)
    expect([clock.now(), time.elapsed, time.untilNext]).toEqual([
      VIRTUAL_START - 3_600_000,
      0,
      1000,
    ])
    time.pass(1000)
    expect(runDue()).toEqual(['due'])
    expect(fired).toEqual([VIRTUAL_START + 1000 - 3_600_000])
  })
})

describe('choices', () => {
  test('V9 are remembered with their site and their fault, and a list of them is cut at its ordinary end', () => {
    const choices = new Choices(fromList([0, 2, 5, 1, 0]))
    expect(choices.choose('pick', 1)).toBe(0)
    expect(choices.choose('pick', 3)).toBe(0)
    expect(choices.fault('step', ['crash', 'pause'])).toBe('pause')
    expect(choices.choose('pick', 4)).toBe(1)
    expect(choices.choose('traffic', 2)).toBe(1)
    const impossible: FaultName[] = []
    expect(choices.fault('step', impossible)).toBeUndefined()
    expect(choices.fault('step', ['crash'])).toBeUndefined()
    expect(choices.fault('step', ['crash'])).toBeUndefined()
    expect(choices.taken).toEqual([
      { site: 'pick', ways: 3, taken: 0 },
      { site: 'step', ways: 3, taken: 2, fault: 'pause' },
      { site: 'pick', ways: 4, taken: 1, fault: 'reorder' },
      { site: 'traffic', ways: 2, taken: 1 },
      { site: 'step', ways: 2, taken: 0 },
      { site: 'step', ways: 2, taken: 0 },
    ])
    expect(choices.list).toEqual([0, 2, 1, 1])
    expect(choices.faults).toEqual(['pause', 'reorder'])
  })

  test('V9 of a random run are a list that gives the same run', async () => {
    const lists = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.string(), async (seed) => {
        const random = await playRun(relay(), fromChance(createSeededRandom(seed)))
        const again = await playRun(relay(), fromList(random.choices.list))
        expect(again.trace.hash).toBe(random.trace.hash)
        expect(again.choices.list).toEqual(random.choices.list)
        lists.add(random.choices.list.join())
      }),
      { numRuns: 40 },
    )
    expect(lists.size).toBeGreaterThan(10)
  })

  test("V9 fast-check's own shrinker makes a schedule simple", () => {
    const planted = fc.property(fc.array(fc.nat(4), { maxLength: 60 }), (list) => {
      const choices = new Choices(fromList(list))
      const taken = Array.from({ length: 30 }, () =>
        choices.fault('step', ['crash', 'pause', 'clockJump']),
      )
      return !(taken[3] === 'pause' && taken.slice(4).includes('crash'))
    })
    const { counterexample } = fc.check(planted, { seed: 7, numRuns: 5000 })
    expect(counterexample?.[0]).toEqual([0, 0, 0, 2, 1])
  })
})

describe('a corpus', () => {
  const failure = {
    invariant: 'a/b: c',
    sentence: 'It broke.',
    replay: '1:3=1',
  } as Failure
  const folder = () => mkdtempSync(join(tmpdir(), 'ambit-corpus-'))

  test('V14 keeps a failure once, and gives back the schedules of one simulation', () => {
    const kept = join(folder(), 'new')
    expect(readCorpus(kept, 'one')).toEqual([])
    const file = addToCorpus(kept, 'one', failure)
    expect(addToCorpus(kept, 'one', failure)).toBe(file)
    addToCorpus(kept, 'other', { ...failure, replay: '1:1=1' })
    expect(readdirSync(kept)).toHaveLength(2)
    expect(readCorpus(kept, 'one')).toEqual([[0, 0, 0, 1]])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ simulation: 'one', ...failure })
  })

  test.each([
    ['{', /JSON/],
    ['{"simulation": "one"}', /replay/],
    ['{"simulation":"one","replay":"x","invariant":"i","sentence":"s"}', /Expected a replay line/],
  ])('V14 refuses a file that holds %s by its name', (text, why) => {
    const kept = folder()
    const file = join(kept, 'bad.json')
    writeFileSync(file, text)
    writeFileSync(join(kept, 'notes.txt'), 'not looked at')
    expect(() => readCorpus(kept, 'one')).toThrow(`${file} is no entry of a corpus: `)
    expect(() => readCorpus(kept, 'one')).toThrow(why)
  })
})
