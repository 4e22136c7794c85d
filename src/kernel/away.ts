import type { Admission } from './admission.ts'
import type { Cell } from './cell.ts'
import type { Lane } from './mailbox.ts'
import { plainOf, type Message } from './message.ts'
import type { AwayStep, Step } from './ports/engine.ts'
import { CellTurn } from './turn.ts'

/** How a step that was made elsewhere came out. */
export type Outcome = { readonly step: Step } | { readonly error: unknown }

/**
 * A turn whose step is made elsewhere. Its message stays at the head of its lane until the step is there, so that
 * nothing is lost with whoever makes it; the actor takes nothing else meanwhile.
 */
export interface AwayTurn {
  readonly message: Message
  readonly lane: Lane
  readonly now: number
  readonly admission: Admission
  outcome?: Outcome
}

/** Has the step of a turn made elsewhere; false when it is to be made here. */
export function sendAway(
  cell: Cell,
  message: Message,
  lane: Lane,
  now: number,
  admission: Admission,
): boolean {
  const asked = cell.spec.engine.stepAway === undefined ? undefined : askedBy(cell, admission)
  if (asked === undefined) return false
  const { away: everywhere } = cell.host
  const turn = new CellTurn(cell, plainOf(message), now)
  const answer = cell.spec.engine.stepAway?.(asked, cell, turn)
  if (answer === undefined) return false
  cell.mailbox.putBack(message, lane)
  const away: AwayTurn = { message, lane, now, admission }
  cell.away = away
  everywhere.add(away)
  const arrived = (outcome: Outcome) => {
    everywhere.delete(away)
    // The actor may have begun another life: then this was for the last one.
    if (cell.away !== away) return
    away.outcome = outcome
    cell.host.schedule(cell)
  }
  answer.then(
    (step) => arrived({ step }),
    (error: unknown) => arrived({ error }),
  )
  return true
}

/** What came of it, as if it had been made here. */
export function stepFrom(outcome: Outcome): Step {
  if ('step' in outcome) return outcome.step
  throw outcome.error
}

function askedBy(cell: Cell, admission: Admission): AwayStep | undefined {
  switch (admission.kind) {
    case 'start':
      return { kind: 'start', input: cell.input }
    case 'step': {
      const { target, event, end } = admission
      return { kind: 'step', incoming: { target, event, ...(end !== undefined && { end }) } }
    }
    case 'stop':
    case 'parked':
    case 'stale':
      return undefined
  }
}
