// Two systems in one process, whose effects forget promises. Prints what their machines heard, one line each, and
// `alive` at the end. Run on the built package with the name of a scenario.
import { setTimeout as pause } from 'node:timers/promises'
import { actor, createSystem, effect, supervisor } from 'ambit'
import { assign, setup } from 'xstate'

const forgetting = (what) =>
  effect(() => {
    void Promise.reject(new Error(what))
    return new Promise(() => undefined)
  })

const deep = (what) =>
  effect(async () => {
    await pause(1)
    void (async () => {
      await pause(1)
      throw new Error(what)
    })()
    await new Promise(() => undefined)
  })

const early = (what) =>
  effect(async () => {
    void pause(20).then(() => {
      throw new Error(what)
    })
    return 'done'
  })

/** Works at once, and prints how that ended. */
function working(name, work, options = {}) {
  const machine = setup({
    actors: { work },
    actions: {
      say: (_, { text }) => void process.stdout.write(`${name} ${text}\n`),
      forget: () => void Promise.reject(new Error('forgotten in an action')),
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
    if (message !== 'effect failed') process.stdout.write(`log ${err?.message}\n`)
  },
  child: () => logger,
}

/** Keeps its system busy. */
const chatty = actor(
  'chatty',
  setup({}).createMachine({
    id: 'chatty',
    initial: 'a',
    states: { a: { after: { 1: 'b' } }, b: { after: { 1: 'a' } } },
  }),
  { durability: 'none' },
)

/** Forgets a promise some time after it was told to go. */
const late = actor(
  'late',
  setup({
    actions: { forget: () => void Promise.reject(new Error('forgotten in an action')) },
  }).createMachine({
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

const scenarios = {
  async each() {
    await start(working('a', forgetting('of a')), working('b', deep('of b')))
    await start(
      working('c', forgetting('of c'), { durability: 'sync' }),
      working('d', deep('of d'), { durability: 'async' }),
    )
  },
  async stopped() {
    const first = await start(working('a', forgetting('of a')))
    await start(
      working(
        'b',
        effect(() =>
          pause(60).then(
            () => void Promise.reject(new Error('of b')) ?? new Promise(() => undefined),
          ),
        ),
      ),
    )
    await pause(10)
    await first.stop({ graceMs: 0 })
  },
  async late() {
    await start(working('a', early('after its end')))
  },
  async outside() {
    await start(working('a', forgetting('of a')))
    await pause(20)
    void Promise.reject(new Error('of nobody'))
  },
  async afterStop() {
    const system = await start(working('a', forgetting('of a')))
    await pause(20)
    await system.stop()
    void Promise.reject(new Error('of nobody'))
  },
  async plain() {
    void Promise.reject(new Error('of nobody'))
  },
  async inAction() {
    const system = await start(
      working(
        'a',
        effect(() => 'done'),
      ),
    )
    await pause(20)
    system.ref('/a').send({ type: 'forget' })
  },
  async wokenByEffect() {
    let system
    const sends = effect(() => pause(10).then(() => void system.ref('/b').send({ type: 'forget' })))
    system = await start(
      working(
        'b',
        effect(() => 'done'),
      ),
      working('a', sends),
    )
  },
  async wokenLongAgo() {
    let system
    // It wakes the system once, and what runs from then on is no longer its work.
    const sends = effect(() => pause(10).then(() => void system.ref('/b').send({ type: 'other' })))
    system = await start(
      working(
        'b',
        effect(() => 'done'),
      ),
      working('a', sends),
      chatty,
    )
    await pause(50)
    system.ref('/b').send({ type: 'forget' })
  },
  async timedByEffect() {
    let system
    const sends = effect(() => pause(10).then(() => void system.ref('/late').send({ type: 'go' })))
    system = await start(late, working('a', sends))
  },
  async listened() {
    process.on('unhandledRejection', ({ message }) => process.stdout.write(`heard ${message}\n`))
    await start(working('a', forgetting('of a')))
    await pause(20)
    void Promise.reject(new Error('of nobody'))
  },
}

await scenarios[process.argv[2]]()
await pause(150)
process.stdout.write('alive\n')
process.exit(0)
