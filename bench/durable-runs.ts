import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { actor, createSystem, pool, readOnly, sqlite, supervisor } from 'ambit'
import { assign, setup } from 'xstate'
import { loadSqliteDriver, type SqliteDriver } from '../src/embedded/sqlite-driver.ts'

// How many durable runs of five steps a second, every step committed with an fsync before the next one starts? Against
// the same driver writing one bare row a step: six commits a run at concurrency 1, one commit a tick at concurrency 50.
// For a profile of one part: `npm run profile -- durable-runs 50 ambit`.

const STEPS = 5
const ROUNDS = 3
const TMPFS = 0x01021994
const allShapes = [
  { concurrency: 1, runs: 200 },
  { concurrency: 50, runs: 1000 },
]
const asked = process.argv.slice(2)
const shapes = allShapes.filter(
  ({ concurrency }) => asked.length === 0 || asked.includes(String(concurrency)),
)
const sides = (['ambit', 'raw'] as const).filter((side) => asked.length < 2 || asked[1] === side)

interface Measured {
  readonly runsPerSecond: number
  readonly runsPerCpuSecond: number
  readonly cpuMicrosecondsPerRun: number
}

type DoRun = (id: string) => Promise<void>

function work(step: number, id: string) {
  return { step, id, pad: 'x'.repeat(100) }
}

type StepOutput = ReturnType<typeof work>

const doStep = readOnly(({ step, id }: { step: number; id: string }) =>
  Promise.resolve(work(step, id)),
)

const runSetup = setup({
  types: {
    context: {} as { id: string; outputs: readonly StepOutput[] },
    input: {} as { id: string },
    events: {} as { type: 'run.start' },
  },
  actors: { doStep },
})

/** One state of the chain: it invokes its step, keeps what it answered and goes on. */
function stepState(step: number, target: string) {
  return runSetup.createStateConfig({
    invoke: {
      src: 'doStep',
      input: ({ context }) => ({ step, id: context.id }),
      onDone: {
        target,
        actions: assign({
          outputs: ({ context, event }) => [...context.outputs, event.output],
        }),
      },
    },
  })
}

const runMachine = runSetup.createMachine({
  id: 'run',
  context: ({ input }) => ({ id: input.id, outputs: [] }),
  initial: 'waiting',
  states: {
    waiting: { on: { 'run.start': 'step1' } },
    step1: stepState(1, 'step2'),
    step2: stepState(2, 'step3'),
    step3: stepState(3, 'step4'),
    step4: stepState(4, 'step5'),
    step5: stepState(5, 'done'),
    done: { type: 'final' },
  },
})

/** A run of ours: a member of a pool, started by a message; it has ended once its last turn is committed. */
async function ours(folder: string): Promise<{ doRun: DoRun; close: () => Promise<void> }> {
  const ended = new Map<string, () => void>()
  const runs = pool('runs', actor('run', runMachine), { inputOf: (id) => ({ id }) })
  const system = createSystem({
    root: supervisor({ children: [runs] }),
    journal: sqlite(folder),
    observers: [{ onExit: ({ address }) => ended.get(address)?.() }],
  })
  await system.start()
  const doRun = async (id: string) => {
    const address = `/runs/${id}`
    const end = new Promise<void>((resolve) => ended.set(address, resolve))
    system.ref(address).send({ type: 'run.start' })
    await end
    ended.delete(address)
  }
  return { doRun, close: () => system.stop() }
}

/** The same commits without an actor: what is written in one tick is one transaction, with a bare row a step. */
function raw(driver: SqliteDriver, folder: string) {
  const database = driver.open(join(folder, 'raw.sqlite'))
  database.exec('PRAGMA journal_mode=WAL')
  database.exec('PRAGMA synchronous=FULL')
  database.exec('CREATE TABLE step (run TEXT, step INTEGER, output TEXT, PRIMARY KEY (run, step))')
  const insert = database.prepare('INSERT INTO step VALUES (?, ?, ?)')
  let waiting: { run: string; step: number; output: string; resolve: () => void }[] = []
  const commit = () => {
    const batch = waiting
    waiting = []
    database.exec('BEGIN IMMEDIATE')
    for (const { run, step, output } of batch) insert.run(run, step, output)
    database.exec('COMMIT')
    for (const { resolve } of batch) resolve()
  }
  const write = (run: string, step: number, output: string) =>
    new Promise<void>((resolve) => {
      if (waiting.push({ run, step, output, resolve }) === 1) setImmediate(commit)
    })
  const doRun = async (id: string) => {
    await write(id, 0, 'started')
    for (let step = 1; step <= STEPS; step++) {
      const output = await Promise.resolve(work(step, id))
      await write(id, step, JSON.stringify(output))
    }
  }
  return { doRun, close: () => database.close() }
}

async function measure(
  doRun: DoRun,
  prefix: string,
  shape: (typeof allShapes)[number],
): Promise<Measured> {
  const { concurrency, runs } = shape
  let next = 0
  const lane = async () => {
    while (next < runs) await doRun(`${prefix}-${next++}`)
  }
  const before = process.cpuUsage()
  const began = performance.now()
  await Promise.all(Array.from({ length: concurrency }, lane))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  const cpuSeconds = (user + system) / 1e6
  return {
    runsPerSecond: runs / seconds,
    runsPerCpuSecond: runs / cpuSeconds,
    cpuMicrosecondsPerRun: (cpuSeconds * 1e6) / runs,
  }
}

function compare(own: Measured, bare: Measured): void {
  const wall = bare.runsPerSecond / own.runsPerSecond
  const cpu = own.cpuMicrosecondsPerRun / bare.cpuMicrosecondsPerRun
  console.log(`  raw is ${wall.toFixed(2)} times as fast, with 1/${cpu.toFixed(2)} of the CPU`)
}

/** A folder on a disk: an fsync on a file system in memory costs nothing and would flatter everybody. */
function diskFolder(): string {
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtempSync(join(tmpdir(), 'ambit-bench-'))
  const built = fileURLToPath(new URL('..', import.meta.url))
  mkdirSync(built, { recursive: true })
  return mkdtempSync(join(built, 'bench-data-'))
}

function median(of: readonly Measured[]): Measured {
  const sorted = [...of].sort((a, b) => a.cpuMicrosecondsPerRun - b.cpuMicrosecondsPerRun)
  const middle = sorted[Math.floor(of.length / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

function describe(what: string, measured: Measured): void {
  const { runsPerSecond, runsPerCpuSecond, cpuMicrosecondsPerRun } = measured
  console.log(
    `  ${what.padEnd(6)}${runsPerSecond.toFixed(0).padStart(6)} runs/s, ` +
      `${runsPerCpuSecond.toFixed(0).padStart(6)} runs/CPU-s, ` +
      `${cpuMicrosecondsPerRun.toFixed(0).padStart(5)} us CPU a run`,
  )
}

const driver = await loadSqliteDriver()
const folder = diskFolder()
console.log(`node ${process.versions.node}, ${driver.name}, WAL, synchronous FULL, in ${folder}`)
const subjects = { ambit: await ours(join(folder, 'journal')), raw: raw(driver, folder) }
for (const shape of shapes) {
  const measured = { ambit: [] as Measured[], raw: [] as Measured[] }
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const side of sides) {
      const one = await measure(subjects[side].doRun, `c${shape.concurrency}-${round}`, shape)
      if (round > 0) measured[side].push(one)
    }
  }
  console.log(`concurrency ${shape.concurrency}, ${shape.runs} runs of ${STEPS} steps:`)
  for (const side of sides) describe(side, median(measured[side]))
  if (sides.length === 2) compare(median(measured.ambit), median(measured.raw))
}
await subjects.ambit.close()
subjects.raw.close()
rmSync(folder, { recursive: true, force: true })
