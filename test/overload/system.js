// A real system under load, in a process of its own: one worker with a full mailbox, a relay that steers it on the
// control lane, and agents whose cases a human decides meanwhile. Prints one JSON line for each load. Run on the built
// package, with --expose-gc.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextRound } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  actor,
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  generateApproverKey,
  governed,
  keyIdOf,
  signStatement,
  sqlite,
  supervisor,
  tell,
  thisTurn,
} from 'ambit'
import { fromTransition, setup } from 'xstate'
import { z } from 'zod'

const PHASE_MS = Number(process.argv[2] ?? 1000)
const LOADS = [0.5, 0.8, 1, 2, 10]
const TICK_MS = 1
const STEER_EACH_MS = 20
const DECISIONS_PER_PHASE = 8
const DECIDE_EACH_MS = PHASE_MS / DECISIONS_PER_PHASE
const ANSWER_MS_MAX = 30_000
const MAILBOX = 1024
/** What one message has the worker hash: native code, which takes the same time whatever else the engine compiles. */
const BLOCK = Buffer.alloc(524_288)

const now = () => performance.timeOrigin + performance.now()

/** What became of the messages of one load. */
const fresh = () => ({ offered: 0, done: 0, refused: 0, expired: 0, unexplained: 0 })
let count = fresh()
let taken = 0
let steers = []
let behind = 0

const workLogic = fromTransition((state, event) => {
  if (event.type === 'steer') {
    steers.push(now() - event.at)
    behind = Math.max(behind, taken - event.taken)
    return state
  }
  taken++
  createHash('sha256').update(BLOCK).digest()
  if (event.isSent) finishSend(event.run, 'done')
  else thisTurn().reply({ type: 'done' })
  return state + 1
}, 0)

const relayLogic = setup({}).createMachine({
  id: 'relay',
  on: {
    steer: {
      actions: tell('/work', ({ event: { at } }) => ({ type: 'steer', at, taken }), {
        lane: 'control',
      }),
    },
  },
})

const note = defineAction({
  name: 'note',
  input: z.object({ id: z.string() }),
  key: ({ id }) => id,
  idempotent: true,
  execute: async () => null,
})
const envelope = defineEnvelope({
  id: 'notes',
  owner: 'head',
  actions: { note: {} },
  escalateWhen: [{ category: ['legal'] }],
  approval: { by: ['editor'] },
})
const proposerOf = (id) =>
  setup({ actors: { note: governed(note) } }).createMachine({
    id: 'proposer',
    initial: 'asking',
    states: {
      asking: {
        invoke: {
          src: 'note',
          input: { args: { id }, why: 'somebody has to', category: 'legal', confidence: 1 },
          onDone: 'noted',
          onError: 'declined',
        },
      },
      noted: {},
      declined: {},
    },
  })

/** Which load it is: an answer that comes after its end counts for nothing. */
let run = 0

function finishSend(ofRun, outcome) {
  if (ofRun === run) count[outcome]++
}

/** In memory where there is such a disk: what is asked here is what the runtime does, not what else the disk does. */
const disk = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const folder = mkdtempSync(join(disk, 'ambit-overload-'))
const agents = Array.from({ length: DECISIONS_PER_PHASE * LOADS.length }, (_, i) =>
  agent(`agent-${i}`, proposerOf(`n-${i}`), { envelope }),
)
const system = createSystem({
  journal: sqlite(folder),
  root: supervisor({
    children: [
      actor('work', workLogic, { mailbox: { userLengthMax: MAILBOX } }),
      actor('relay', relayLogic),
      ...agents,
    ],
  }),
  observers: [
    {
      onDeadLetter: ({ reason, message: { body } }) => {
        if (body.isSent && reason === 'expired') finishSend(body.run, 'expired')
      },
    },
  ],
})
await system.start()
await system.atRest()
const { privateKey, publicKey } = generateApproverKey()
await system.addApprover(keyIdOf(publicKey), { person: 'eve', roles: ['editor'], publicKey })
const work = system.ref('/work')
const relay = system.ref('/relay')

/** Every second message is sent with a deadline, the others are asked: each must be answered one way or another. */
function offer(id, deadlineMs) {
  count.offered++
  if (id % 2 === 0) {
    const event = { type: 'work', isSent: true, run }
    const sent = work.send(event, { deadline: Date.now() + deadlineMs })
    if (sent.status === 'accepted') return
    if (sent.reason === 'mailboxFull' && sent.retryAfterMs > 0) count.refused++
    else count.unexplained++
    return
  }
  const mine = count
  work.ask({ type: 'work', run }, { timeoutMs: deadlineMs }).then(
    () => mine.done++,
    ({ code }) => {
      if (code === 'AMBIT_ASK_TIMEOUT') mine.expired++
      else if (code === 'AMBIT_OVERLOADED') mine.refused++
      else mine.unexplained++
    },
  )
}

/** As many as can be done when nobody waits for long: half a mailbox in the air. */
async function calibrate() {
  const endAt = now() + PHASE_MS
  let done = 0
  const lane = async () => {
    while (now() < endAt) {
      await work.ask({ type: 'work', run }, { timeoutMs: 60_000 })
      done++
    }
  }
  await Promise.all(Array.from({ length: MAILBOX / 2 }, lane))
  return (done * 1000) / (now() - endAt + PHASE_MS)
}

const decided = new Set()

/** A human approves the next open case; counts from when that was meant to be. */
async function decide(latencies, plannedAt) {
  const open = system.cases().find(({ status, id }) => status === 'open' && !decided.has(id))
  decided.add(open.id)
  const statement = {
    v: 1,
    system: system.id,
    case: open.id,
    digest: open.digest,
    verdict: 'approve',
    person: 'eve',
    at: Date.now(),
    nonce: `nonce-of-case-${open.id}`.padEnd(20, '-'),
  }
  const { type } = await system.submitDecision(signStatement(statement, privateKey))
  if (type === 'ambit.approval.accepted') latencies.push(now() - plannedAt)
}

/** One load from its own thread; ends when each message it offered has been answered. */
async function phase(load, capacity) {
  run++
  count = fresh()
  steers = []
  behind = 0
  const deadlineMs = Math.ceil((3000 * MAILBOX) / capacity)
  const ratePerSecond = capacity * load
  const total = Math.floor((ratePerSecond * PHASE_MS) / 1000)
  const due = new Int32Array(new SharedArrayBuffer(4))
  const start = new Float64Array(new SharedArrayBuffer(8))
  const workerData = { due, startAt: start, ratePerSecond, total, tickMs: TICK_MS }
  const generator = new Worker(new URL('generator.js', import.meta.url), { workerData })
  const ended = once(generator, 'exit')
  await once(generator, 'message')
  const heapBefore = heap()
  const cpuBefore = process.cpuUsage()
  const startAt = (start[0] = now())
  const plannedAt = (id) => startAt + (id * 1000) / ratePerSecond
  const decisions = []
  const asked = []
  let steered = 0
  let lagMs = 0
  for (let id = 0; id < total; await nextRound()) {
    if (Atomics.load(due, 0) > id) lagMs = Math.max(lagMs, now() - plannedAt(id))
    for (const end = Atomics.load(due, 0); id < end; id++) offer(id, deadlineMs)
    const passedMs = plannedAt(id) - startAt
    for (; steered * STEER_EACH_MS < passedMs; steered++)
      relay.send({ type: 'steer', at: startAt + steered * STEER_EACH_MS })
    for (; asked.length * DECIDE_EACH_MS < passedMs;)
      asked.push(decide(decisions, startAt + asked.length * DECIDE_EACH_MS))
  }
  const { done } = count
  const { user, system: kernel } = process.cpuUsage(cpuBefore)
  const heapGrowth = heap() - heapBefore
  await Promise.all([ended, ...asked])
  const answered = () => count.done + count.refused + count.expired + count.unexplained
  const until = now() + ANSWER_MS_MAX
  while ((answered() < total || steers.length < steered) && now() < until) await nextRound()
  return {
    load,
    ...count,
    goodput: Math.round((done * 1000) / PHASE_MS),
    perCpuSecond: Math.round((done * 1e6) / (user + kernel)),
    steered,
    steersTaken: steers.length,
    steerP99Ms: p99(steers),
    asked: asked.length,
    decided: decisions.length,
    decisionP99Ms: p99(decisions),
    userBetween: behind,
    lagMs: Math.round(lagMs),
    heapGrowth,
  }
}

function heap() {
  for (let i = 0; i < 3; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

function p99(values) {
  const sorted = Float64Array.from(values).sort()
  return Math.round((sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN) * 10) / 10
}

await calibrate()
const capacity = await calibrate()
process.stdout.write(`${JSON.stringify({ capacity: Math.round(capacity) })}\n`)
for (const load of LOADS) process.stdout.write(`${JSON.stringify(await phase(load, capacity))}\n`)
await system.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
