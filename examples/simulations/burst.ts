import { actor, createSystem, supervisor, thisTurn } from 'ambit'
import { invariants, simulate, type Scenario, type SimulationOptions } from 'ambit/testing'
import { fromTransition } from 'xstate'

// One message that makes more of them than the next mailbox holds: what does not fit waits in its sender's outbox.

const MESSAGES = 1500

const source = fromTransition((sent: number) => {
  for (let n = 0; n < MESSAGES; n++) thisTurn().tell('/sink', { type: 'drop', n })
  return sent + MESSAGES
}, 0)

const sink = fromTransition((heard: number) => heard + 1, 0)

export function burst(options: Partial<SimulationOptions> = {}): Scenario {
  const root = supervisor({ children: [actor('source', source), actor('sink', sink)] })
  return simulate({
    name: 'burst',
    system: (ports) => createSystem({ root, ...ports }),
    traffic: [{ to: '/source', event: { type: 'burst' } }],
    invariants,
    ...options,
  })
}
