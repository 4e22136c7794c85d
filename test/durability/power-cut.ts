import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createSystem } from 'ambit'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import type { SqliteDriverName } from '../../src/embedded/sqlite-driver.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { Disk, fates, nameFates, type Image } from './disk.ts'
import type { Operation } from './recording.ts'
import { pathOf, relayRoot } from './relay.js'
import { surveyJournal, type Survey } from './survey.ts'

export const NOTES_FILE = 'notes'
export const JOURNAL_FOLDER = 'journal'
/** How many of the acknowledged errands are handed in again: the last are the likeliest to be lost. */
const REPEATS_MAX = 3

export interface CutOptions {
  readonly cuts: number
  readonly seed: string
  readonly scratch: string
  readonly driver: SqliteDriverName
  /** Whether a system is started on each image, and must go on where the power was cut. */
  readonly goesOn: boolean
}

export interface CutVerdict {
  /** Says how to find it again. */
  readonly cut: string
  /** Errands that were acknowledged before the cut, and of which the journal knows nothing. */
  readonly lost: readonly string[]
  readonly corrupt: string | undefined
  /** Groups of which a part is there. */
  readonly halves: number
  /** What a system made of it that it should not have. */
  readonly wrong: readonly string[]
}

/** What the workers noted before the cut. */
interface Notes {
  readonly acknowledged: string[]
  readonly groups: (readonly string[])[]
}

/** Cuts the power at seeded moments of what was recorded, and looks at what is left each time. */
export async function cutPower(
  operations: readonly Operation[],
  { cuts, seed, scratch, driver, goesOn }: CutOptions,
): Promise<CutVerdict[]> {
  const random = createSeededRandom(seed)
  const moments = chooseMoments(operations, cuts, random)
  const disk = new Disk()
  const verdicts: CutVerdict[] = []
  let text = ''
  let done = 0
  for (const [n, moment] of moments.entries()) {
    for (; done < moment; done++) {
      const operation = operations[done] as Operation
      disk.apply(operation)
      // What was noted is known outside: the notes are not on the disk that loses its power.
      text += noteOf(operation)
    }
    // In turn, so that each of them meets early and late cuts.
    const fate = fates[n % fates.length] ?? 'none'
    const nameFate = nameFates[Math.floor(n / fates.length) % nameFates.length] ?? 'strict'
    const folder = join(scratch, `cut-${n}`)
    writeImage(disk.cut({ fate, nameFate, random }), folder)
    const directory = join(folder, JOURNAL_FOLDER)
    const cut = `seed "${seed}", cut ${n} before operation ${moment}, ${fate}/${nameFate}`
    verdicts.push({ cut, ...(await judge(directory, readNotes(text), goesOn, driver)) })
    rmSync(folder, { recursive: true, force: true })
  }
  return verdicts
}

/** Half of them right after something was acknowledged, where a promise is the easiest to break. */
function chooseMoments(
  operations: readonly Operation[],
  cuts: number,
  random: () => number,
): readonly number[] {
  const acknowledgements = operations.flatMap((each, i) => (isAcknowledgement(each) ? [i + 1] : []))
  const moments = Array.from({ length: cuts }, (_, n) =>
    n % 2 === 0 ? pick(acknowledgements, random) : 1 + Math.floor(random() * operations.length),
  )
  return moments.sort((a, b) => a - b)
}

export const isAcknowledgement = (operation: Operation) => noteOf(operation).startsWith('ack')

function noteOf(operation: Operation): string {
  if (operation.kind !== 'write') return ''
  const text = operation.bytes.subarray(0, 6).toString('latin1')
  return /^(ack|group) /.test(text) ? operation.bytes.toString() : ''
}

function readNotes(text: string): Notes {
  const notes: Notes = { acknowledged: [], groups: [] }
  for (const line of text.trim().split('\n')) {
    const [kind, ...rest] = line.split(' ')
    if (kind === 'ack') notes.acknowledged.push(...rest)
    if (kind === 'group') notes.groups.push(rest)
  }
  return notes
}

export function writeImage(image: Image, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of image) {
    if (name === NOTES_FILE) continue
    const path = join(folder, name)
    mkdirSync(bytes === 'folder' ? path : dirname(path), { recursive: true })
    if (bytes !== 'folder') writeFileSync(path, bytes)
  }
}

async function judge(
  directory: string,
  noted: Notes,
  goesOn: boolean,
  driver: SqliteDriverName,
): Promise<Omit<CutVerdict, 'cut'>> {
  let found: Survey
  try {
    found = await surveyJournal(directory, driver)
  } catch (error) {
    return { lost: noted.acknowledged, corrupt: String(error), halves: 0, wrong: [] }
  }
  const lost = noted.acknowledged.filter((id) => !found.begun.has(id))
  const halves = noted.groups.filter((digests) => {
    const there = digests.filter((digest) => found.records.has(digest)).length
    return there > 0 && there < digests.length
  }).length
  const wrong = faultsIn(found)
  if (goesOn) wrong.push(...(await goOn(directory, noted, found, driver)))
  return { lost, corrupt: found.fault, halves, wrong }
}

/** Starts the system again; it must finish what was begun, and know what it has done. */
async function goOn(
  directory: string,
  { acknowledged }: Notes,
  before: Survey,
  driver: SqliteDriverName,
): Promise<string[]> {
  const journal = sqliteJournal(directory, { driver })
  const system = createSystem({ root: relayRoot(), journal })
  await system.start()
  await system.atRest()
  const wrong: string[] = []
  for (const id of acknowledged.slice(-REPEATS_MAX)) {
    const event = { type: 'errand', id, step: 0, load: '' }
    const answer = await system.ref(pathOf(id)[0] ?? '').deliver(event, { id })
    const expected = before.begun.has(id) ? 'duplicate' : 'committed'
    if (answer !== expected) wrong.push(`${id} handed in again is ${answer}`)
  }
  await system.atRest()
  await system.stop()
  const after = await surveyJournal(directory, driver)
  if (after.fault !== undefined) wrong.push(after.fault)
  wrong.push(...after.underWay.map((id) => `${id} does not come to its end`))
  wrong.push(...[...before.begun].filter((id) => !after.begun.has(id)).map((id) => `${id} is gone`))
  return wrong.concat(faultsIn(after))
}

function faultsIn({ dropped, miscounted }: Survey): string[] {
  return [
    ...dropped.map((id) => `${id} was dropped on its way`),
    ...miscounted.map((address) => `${address} has miscounted`),
  ]
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T
}
