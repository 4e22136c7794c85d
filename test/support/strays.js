// Two systems in one process, whose effects forget promises. Prints what their machines heard, one line each, and
// `alive` at the end. Run on the built package with the name of a scenario.
import { setImmediate as nextRound } from 'node:timers/promises'
import { actor, createSystem, effect, supervisor } from 'ambit'
import { assign, setup } from 'xstate'

const WAIT_MAX_MS = 20_000
/** A rejection is told of before the next round of the event loop: after so many it has been. */
const ROUNDS = 20

const said = new Set()
let forgotten = 0
let ticks = 0

const say = (line) => {
  said.add(line)
  process.stdout.write(`${line}\n`)
}

async function until(fact) {
  const deadline = performance.now() + WAIT_MAX_MS
  while (!fact()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${fact}.`)
    await nextRound()
  }
}

const untilSaid = (...lines) => until(() => lines.every((line) => said.has(line)))

async function rounds() {
  for (let round = 0; round < ROUNDS; round++) await nextRound()
}

const forget = () => {
  forgotten++
  void Promise.reject(new Error('forgotten in an action'))
}

const forgetting = (what) =>
  effect(() => {
    void Promise.reject(new Error(what))
    return new Promise(() => undefined)
  })

const deep = (what) =>
  effect(async () => {
    await nextRound()
    void (async () => {
      await nextRound()
      throw new Error(what)
    })()
    await new Promise(() => undefined)
  })

/** Forgets a promise that rejects once its machine has heard that the effect is done. */
const early = (name, what) =>
  effect(async () => {
    void untilSaid(`${name} done`).then(() => {
      throw new Error(what)
    })
    return 'done'
  })

/** Works at once, and prints how that ended. */
function working(name, work, options = {}) {
  const machine = setup({
    actors: { work },
    actions: {
      say: (_, { text }) => say(`${name} ${text}`),
      forget,
    },
  }).createMachine({
    id: name,
    context: { text: '' },
    initial: 'working',
    on: { forget: { actions: 'forget' } },
    states: {
      working: {
        invoke: {
          src: 'work',
          onDone: {
            target: 'over',
            actions: assign({ text: ({ event }) => String(event.output) }),
          },
          onError: {
            target: 'over',
            actions: assign({ text: ({ event }) => event.error.message }),
          },
        },
      },
      over: { entry: { type: 'say', params: ({ context }) => ({ text: context.text }) } },
    },
  })
  return actor(name, machine, { durability: 'none', ...options })
}

/** Prints what went wrong that no machine heard of. */
const logger = {
  debug: () => undefined,
  info: () => undefined,
  error: () => undefined,
  warn({ err }, message) {
    if (message !== 'effect failed') say(`log ${err?.message}`)
  },
  child: () => logger,
}

/** Keeps its system busy. */
const chatty = actor(
  'chatty',
  setup({ actions: { tick: () => void ticks++ } }).createMachine({
    id: 'chatty',
    initial: 'a',
    states: { a: { after: { 1: 'b' } }, b: { entry: 'tick', after: { 1: 'a' } } },
  }),
  { durability: 'none' },
)

/** Forgets a promise some time after it was told to go. */
const late = actor(
  'late',
  setup({ actions: { forget } }).createMachine({
    id: 'late',
    initial: 'waiting',
    states: {
      waiting: { on: { go: 'going' } },
      going: { after: { 20: 'gone' } },
      gone: { entry: 'forget' },
    },
  }),
  { durability: 'none' },
)

const start = async (...children) => {
  const system = createSystem({ root: supervisor({ children }), logger })
  await system.start()
  return system
}

const idle = effect(() => 'done')

/** Sends once the system is there to be sent to. */
const sending = (find, to, type) =>
  effect(async () => {
    await until(() => find() !== undefined)
    find().ref(to).send({ type })
  })

const scenarios = {
  async each() {
    await start(working('a', forgetting('of a')), working('b', deep('of b')))
    await start(
      working('c', forgetting('of c'), { durability: 'sync' }),
      working('d', deep('of d'), { durability: 'async' }),
    )
    await untilSaid('a of a', 'b of b', 'c of c', 'd of d')
  },
  async stopped() {
    let hasStopped = false
    const first = await start(working('a', forgetting('of a')))
    const later = effect(async () => {
      await until(() => hasStopped)
      void Promise.reject(new Error('of b'))
      return new Promise(() => undefined)
    })
    await start(working('b', later))
    await untilSaid('a of a')
    await first.stop({ graceMs: 0 })
    hasStopped = true
    await untilSaid('b of b')
  },
  async late() {
    await start(working('a', early('a', 'after its end')))
    await untilSaid('log after its end')
  },
  async outside() {
    await start(working('a', forgetting('of a')))
    await untilSaid('a of a')
    void Promise.reject(new Error('of nobody'))
  },
  async afterStop() {
    const system = await start(working('a', forgetting('of a')))
    await untilSaid('a of a')
    await system.stop()
    void Promise.reject(new Error('of nobody'))
  },
  async plain() {
    void Promise.reject(new Error('of nobody'))
  },
  async inAction() {
    const system = await start(working('a', idle))
    await untilSaid('a done')
    system.ref('/a').send({ type: 'forget' })
    await until(() => forgotten > 0)
  },
  async wokenByEffect() {
    let system
    const sends = sending(() => system, '/b', 'forget')
    system = await start(working('b', idle), working('a', sends))
    await until(() => forgotten > 0)
  },
  async wokenLongAgo() {
    let system
    // It wakes the system once, and what runs from then on is no longer its work.
    const sends = sending(() => system, '/b', 'other')
    system = await start(working('b', idle), working('a', sends), chatty)
    await untilSaid('a undefined')
    const already = ticks
    await until(() => ticks > already + ROUNDS)
    system.ref('/b').send({ type: 'forget' })
    await until(() => forgotten > 0)
  },
  async timedByEffect() {
    let system
    const sends = sending(() => system, '/late', 'go')
    system = await start(late, working('a', sends))
    await until(() => forgotten > 0)
  },
  async listened() {
    process.on('unhandledRejection', ({ message }) => say(`heard ${message}`))
    await start(working('a', forgetting('of a')))
    await untilSaid('a of a')
    void Promise.reject(new Error('of nobody'))
    await untilSaid('heard of nobody')
  },
}

await scenarios[process.argv[2]]()
await rounds()
say('alive')
process.exit(0)
