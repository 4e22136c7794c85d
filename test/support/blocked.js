// A system whose actor keeps the event loop for itself. Run on the built package with the name of a scenario: turn,
// effect, native or none.
import { execFileSync } from 'node:child_process'
import { actor, createSystem, effect, supervisor, tell } from 'ambit'
import { fromTransition, setup } from 'xstate'

const [scenario = 'turn'] = process.argv.slice(2)
const LIMIT_MS = 200
const EVENTS = { turn: 'loop', effect: 'loop', native: 'native', none: 'nothing' }

function spinForEver() {
  for (let i = 0; ; i++) if (i < 0) return i
}

const stuck = fromTransition((state, event) => {
  if (event.type === 'loop') spinForEver()
  if (event.type === 'native') execFileSync('sleep', ['1'])
  return state
}, {})

const tool = setup({
  actors: {
    tool: effect(async () => {
      await Promise.resolve()
      spinForEver()
    }),
  },
}).createMachine({
  initial: 'idle',
  states: { idle: { on: { loop: 'working' } }, working: { invoke: { src: 'tool' } } },
})

/** The watch begins with its first beat: what blocks comes a little later. */
const later = setup({}).createMachine({
  initial: 'waiting',
  states: {
    waiting: { after: { [LIMIT_MS]: 'over' } },
    over: { entry: tell(scenario === 'effect' ? '/tooled' : '/stuck', { type: EVENTS[scenario] }) },
  },
})

const children = [actor('stuck', stuck), actor('tooled', tool), actor('later', later)]
const system = createSystem({ root: supervisor({ children }), watchdog: { limitMs: LIMIT_MS } })
// Without anything that blocks the process ends by itself, although nobody stops the system.
await system.start()
