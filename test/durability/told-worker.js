// A system that is told on stdin what to do, and tells on stdout what happened, a line each. Ends with its stdin.
// told-worker.js JOURNAL. Run on the built package.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createSystem, sqlite, systemClock } from 'ambit'
import { houseRoot } from './house.js'
import { pathOf } from './relay.js'

const AT_A_TIME = 8
const load = 'x'.repeat(1500)
const tell = (...words) => void process.stdout.write(`${words.join(' ')}\n`)

/** The machine's clock, but its hands can be moved. As in a real machine, waits that are under way do not notice. */
const real = systemClock()
let shiftMs = 0
const clock = {
  ...real,
  now: () => real.now() + shiftMs,
  wakeAt: (dueAt, wake) => real.wakeAt(dueAt - shiftMs, wake),
}

const silent = () => undefined
const logger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (fields, message) => tell('error', message, fields.failures ?? ''),
  child: () => logger,
}

const observer = {
  onTurn: ({ address, at, type, state }) => tell('turn', address, at, type, JSON.stringify(state)),
}

const toHandIn = []

const commands = {
  async errands(from, to) {
    const ids = Array.from({ length: to - from }, (_, i) => `r-${Number(from) + i}`)
    toHandIn.push(ids)
    const handIn = async () => {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
        const event = { type: 'errand', id, step: 0, load }
        tell('ack', id, await system.ref(pathOf(id)[0]).deliver(event, { id }))
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, handIn))
    tell('handed in')
  },
  /** What was not handed in yet will not be. */
  enough: () => {
    for (const ids of toHandIn) ids.length = 0
  },
  async bell(name, waitMs, id) {
    const event = { type: 'set', waitMs: Number(waitMs) }
    tell('set', name, await system.ref(`/bells/${name}`).deliver(event, { id }))
  },
  async spend(order, minor) {
    const event = { type: 'spend', args: { order, minor: Number(minor) } }
    await system.ref(`/purses/${order}`).deliver(event, { id: order })
  },
  rows: (address) => tell('rows', address, system.rows(address).size),
  history: async () => tell('history', (await system.history({})).length),
  shift: (ms) => tell('shifted', (shiftMs += Number(ms))),
  free(file) {
    rmSync(file)
    tell('freed', file)
  },
  async rest() {
    await system.atRest()
    tell('rested')
  },
}

const system = createSystem({
  root: houseRoot(),
  journal: sqlite(process.argv[2]),
  clock,
  logger,
  observers: [observer],
})
await system.start()
tell('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = line.split(' ')
  void commands[command](...rest)
}
await system.stop()
process.exit(0)
