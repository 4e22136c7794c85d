import {
  actor,
  createSystem,
  memory,
  pool,
  supervisor,
  thisTurn,
  type Journal,
  type JournalSession,
} from 'ambit'
import { expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { faultyJournal } from '../support/faulty-journal.ts'
import { waitFor } from '../wait-for.ts'

interface Job {
  readonly type: string
  readonly n: number
}

const desk = fromTransition((taken: number, { n }: Job) => {
  thisTurn().tell('/workers/one', { type: 'work', n })
  return taken + 1
}, 0)
const worker = fromTransition((done: readonly number[], { n }: Job) => [...done, n], [])

const systemOn = (journal: Journal) =>
  createSystem({
    root: supervisor({
      children: [actor('desk', desk), actor('late', worker), pool('workers', actor('w', worker))],
    }),
    journal,
  })

/** The same journal, in which the reading of one actor waits. */
function readSlowly(inner: Journal, address: string) {
  let go: () => void = () => undefined
  const waited = new Promise<void>((resolve) => (go = resolve))
  let isReading = false
  const journal: Journal = {
    async open() {
      const session = await inner.open()
      const load: JournalSession['load'] = async (each) => {
        if (each === address) {
          isReading = true
          await waited
        }
        return session.load(each)
      }
      return Object.assign(Object.create(session) as JournalSession, { load })
    },
  }
  return { journal, go, isReading: () => isReading }
}

// Found by simulation: see test/testing/corpus.
test('J15 what is sent while the journal is read slowly does not overtake what waits in an outbox', async () => {
  const inner = memory()
  const dying = faultyJournal(inner, { storesGroups: false })
  let hasDied = false
  dying.beforeCommit = async (batch) => {
    if (!batch.some((entry) => entry.kind === 'turns' && entry.address === '/workers/one')) return
    await dying.crash()
    hasDied = true
  }
  const first = systemOn(dying)
  await first.start()
  await first.ref('/desk').deliver({ type: 'job', n: 1 }, { id: 'a' })
  await waitFor(() => hasDied)

  const { journal, go, isReading } = readSlowly(inner, '/late')
  const second = systemOn(journal)
  const started = second.start()
  await waitFor(isReading)
  const delivered = second.ref('/desk').deliver({ type: 'job', n: 2 }, { id: 'b' })
  await new Promise((resolve) => setImmediate(resolve))
  go()
  await Promise.all([started, delivered])
  await second.atRest()
  expect(second.ref('/workers/one').getSnapshot()).toMatchObject({ context: [1, 2] })
  await second.stop()
})
