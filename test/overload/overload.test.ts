import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { DEAD_LETTERS_KEPT_MAX } from '../../src/kernel/dead-letters.ts'
import { mailboxDefaults } from '../../src/kernel/mailbox.ts'
import { MESSAGES_PER_SLICE_MAX } from '../../src/kernel/run-queue.ts'
import { exited } from '../support/desk-process.ts'

// Less tells too little beside other work; `npm run evidence` gives each load more.
const PHASE_MS = Number(process.env.AMBIT_OVERLOAD_MS ?? 3000)
const LIMIT_MS = 60_000 + PHASE_MS * 20

/** What is kept of one small message, with everything that stands around it. */
const MESSAGE_BYTES = 4096
const KEPT_BYTES_MAX =
  MESSAGE_BYTES *
  (mailboxDefaults.userLengthMax + mailboxDefaults.controlLengthMax + DEAD_LETTERS_KEPT_MAX)

interface Load {
  readonly load: number
  readonly offered: number
  readonly done: number
  readonly refused: number
  readonly expired: number
  readonly unexplained: number
  readonly goodput: number
  readonly perCpuSecond: number
  readonly steered: number
  readonly steersTaken: number
  readonly steerP99Ms: number
  readonly asked: number
  readonly decided: number
  readonly decisionP99Ms: number
  readonly userBetween: number
  readonly lagMs: number
  readonly heapGrowth: number
}

let loads: readonly Load[] = []

beforeAll(async () => {
  const script = fileURLToPath(new URL('system.js', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', script, String(PHASE_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = exited(child)
  const lines: unknown[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line))
  expect(await ended).toBe(0)
  const [{ capacity }, ...measured] = lines as [{ capacity: number }, ...Load[]]
  loads = measured
  console.log(tableOf(capacity))
}, LIMIT_MS)

test('Y13 at any load each message is answered: done, refused with a time to come back, or expired', () => {
  expect(loads.map(({ load }) => load)).toEqual([0.5, 0.8, 1, 2, 10])
  for (const { offered, done, refused, expired, unexplained } of loads) {
    expect(unexplained).toBe(0)
    expect(done + refused + expired).toBe(offered)
  }
  expect(loads.at(-1)?.refused).toBeGreaterThan(0)
})

test('Y14 at ten times its capacity a system still does at least half of the most it ever did', () => {
  // By CPU time: whoever else runs on this machine must not decide it.
  expect(ratio()).toBeGreaterThanOrEqual(0.5)
})

test('Y15 at any load what steers an actor, and what a human decides, passes the users’ backlog', () => {
  for (const { steered, steersTaken, asked, decided, userBetween } of loads) {
    expect(steersTaken).toBe(steered)
    expect(decided).toBe(asked)
    expect(userBetween).toBeLessThanOrEqual(MESSAGES_PER_SLICE_MAX)
  }
})

test('Y16 at ten times its capacity a system keeps no more than its mailboxes and dead letters may hold', () => {
  for (const { heapGrowth } of loads) expect(heapGrowth).toBeLessThan(KEPT_BYTES_MAX)
})

function ratio(): number {
  const most = Math.max(...loads.map(({ perCpuSecond }) => perCpuSecond))
  return (loads.at(-1)?.perCpuSecond ?? 0) / most
}

function tableOf(capacity: number): string {
  const columns: readonly [string, (load: Load) => string | number][] = [
    ['load', ({ load }) => `${load}x`],
    ['offered', ({ offered }) => offered],
    ['done', ({ done }) => done],
    ['refused', ({ refused }) => refused],
    ['expired', ({ expired }) => expired],
    ['done/s', ({ goodput }) => goodput],
    ['done/CPU-s', ({ perCpuSecond }) => perCpuSecond],
    ['control p99 ms', ({ steerP99Ms }) => steerP99Ms],
    ['decision p99 ms', ({ decisionP99Ms }) => decisionP99Ms],
    ['user before control', ({ userBetween }) => userBetween],
    ['heap KiB', ({ heapGrowth }) => Math.round(heapGrowth / 1024)],
  ]
  const rows = [
    columns.map(([name]) => name),
    ...loads.map((load) => columns.map(([, of]) => String(of(load)))),
  ]
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const text = rows.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
  const wait = Math.round((mailboxDefaults.userLengthMax * 1000) / capacity)
  return [
    `overload: capacity ${capacity}/s; a full user lane waits ${wait} ms`,
    ...text,
    `overload: 10x does ${ratio().toFixed(2)} of the peak by CPU time`,
  ].join('\n')
}
