import { describe, expect, test } from 'vitest'
import { fromList, type FaultName } from 'ambit/testing'
import type { JournalEntry } from '../../src/kernel/ports/journal.ts'
import { Choices } from '../../src/testing/choices.ts'
import { Disk } from '../../src/testing/disk.ts'
import { Trace } from '../../src/testing/trace.ts'
import { turn } from '../support/journal-entries.ts'

const record = (actor: string, seq: number) =>
  JSON.stringify({ actor, generation: 1, seq, message: { type: 'go' }, state: null })
const entry = (address: string, group?: number): JournalEntry =>
  turn(address, 1, { records: [record(address, 1)], ...(group !== undefined && { group }) })

/** Two actors that are stored together, and a third beside them. */
const batch = () => [entry('/a', 1), entry('/b', 1), entry('/c')]

/** A disk under one process; the fault strikes at the choice of that number. */
async function diskWith(fault?: FaultName, at = 1) {
  const process = { isDead: false }
  const trace = new Trace(
    () => 0,
    () => undefined,
  )
  const choices = new Choices(fromList([...Array<number>(at - 1).fill(0), 1]))
  const faults = fault === undefined ? [] : [fault]
  const disk = new Disk({ choices, trace, faults, crash: () => (process.isDead = true) }, true)
  const journal = disk.journalFor(process)
  const answerOf = (value: () => unknown) => {
    const told = (async () => JSON.stringify(await value()))().catch(
      (error: unknown) => (error as Error).message,
    )
    return Promise.race([told, new Promise((resolve) => setImmediate(() => resolve('silence')))])
  }
  return { disk, process, trace, choices, journal, answerOf }
}

async function storedOn(disk: Disk): Promise<string[]> {
  return ((await disk.stored?.history({})) ?? []).map(({ address }) => address)
}

const taken = '["stored","stored","stored"]'

describe('the disk', () => {
  test.each<[FaultName | undefined, string, string[], boolean]>([
    [undefined, taken, ['/a', '/b', '/c'], false],
    ['crashBeforeCommit', 'silence', [], true],
    ['crashAfterCommit', 'silence', ['/a', '/b', '/c'], true],
    ['tornBatch', 'silence', ['/a', '/b'], true],
    ['diskFull', 'simulated: the disk is full', [], false],
    ['lostAnswer', 'simulated: the answer to a commit got lost', ['/a', '/b', '/c'], false],
    ['fsyncLost', taken, [], false],
  ])(
    'V13 with %s: what is answered, what is stored, who is dead',
    async (fault, said, stored, isDead) => {
      const { disk, process, journal, trace, answerOf } = await diskWith(fault)
      const session = await journal.open()
      expect(await answerOf(() => session.commit(batch()))).toBe(said)
      expect(await storedOn(disk)).toEqual(stored)
      expect(process.isDead).toBe(isDead)
      expect(trace.entries.flatMap((e) => (e.kind === 'turn' ? [e.record.actor] : []))).toEqual(
        stored,
      )
      expect(trace.entries.filter(({ kind }) => kind === 'fault')).toEqual(
        fault === undefined
          ? []
          : [{ kind: 'fault', fault, where: 'the commit of /a, /b, /c', step: 0, elapsedMs: 0 }],
      )
    },
  )

  test('V13 a torn batch of one group leaves nothing of it', async () => {
    const { disk, journal } = await diskWith('tornBatch')
    void (await journal.open()).commit([entry('/a', 1), entry('/b', 1)])
    expect(await storedOn(disk)).toEqual([])
  })

  test('V13 a full disk refuses three commits, and takes the next', async () => {
    const { journal, answerOf } = await diskWith('diskFull')
    const session = await journal.open()
    const said = []
    for (let n = 0; n < 4; n++) said.push(await answerOf(() => session.commit([entry('/a')])))
    const full = 'simulated: the disk is full'
    expect(said).toEqual([full, full, full, '["stored"]'])
  })

  test('V13 a dead process is told nothing, changes nothing and draws no choice', async () => {
    const { disk, process, journal, choices, answerOf } = await diskWith()
    const session = await journal.open()
    process.isDead = true
    const drawn = choices.taken.length
    const asked = [
      () => session.commit(batch()),
      () => session.load('/a'),
      () => session.recover(),
      () => session.history({}),
      () => session.head(),
    ]
    for (const ask of asked) expect(await answerOf(ask)).toBe('silence')
    expect(await storedOn(disk)).toEqual([])
    expect(choices.taken).toHaveLength(drawn)
  })

  test.each([
    [1, 'the opening of the journal'],
    [2, 'the reading of /a'],
    [3, 'the look at what was left'],
  ])('V13 the journal cannot be read, or its reader dies, at look %i: %s', async (at, where) => {
    for (const fault of ['readError', 'crashInRecovery'] as const) {
      const { process, trace, journal, answerOf } = await diskWith(fault, at)
      const said = await answerOf(async () => {
        const session = await journal.open()
        await session.load('/a')
        return session.recover()
      })
      const isCrash = fault === 'crashInRecovery'
      expect(said).toBe(isCrash ? 'silence' : 'simulated: the journal cannot be read')
      expect(process.isDead).toBe(isCrash)
      expect(trace.entries).toMatchObject([{ kind: 'fault', fault, where }])
    }
  })
})
