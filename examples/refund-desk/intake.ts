import { createHash } from 'node:crypto'
import { isSegment, perform, thisTurn, type Json, type Performed } from 'ambit'
import { assign, setup } from 'xstate'
import type { Ticket } from './ticket.ts'

export const INTAKE = '/desk/intake'
export const TICKETS = '/desk/tickets'

export type TicketOutcome = 'refunded' | 'awaitingHuman' | 'denied' | 'invalid' | 'inDoubt'

/** How a ticket came to rest, and the rules that asked for more than the agent could give. */
export interface Rest {
  readonly outcome: TicketOutcome
  readonly rules: readonly string[]
  readonly amount?: string | undefined
  readonly currency?: string | undefined
  /** The refund's key and how often it was attempted. */
  readonly key?: string | undefined
  readonly attempts?: number | undefined
  readonly case?: string | undefined
  readonly reason?: string | undefined
}

/** A ticket as its row says; tickets are numbered in order of arrival. */
export interface TicketRow {
  readonly number: number
  readonly id: string
  readonly state: 'queued' | 'active' | 'rested'
  readonly ticket?: Ticket
  readonly rest?: Rest
}

/** One line of input, parsed. `line` names the place it was read from, if reading it again should change nothing. */
export interface ReceivedLine {
  readonly line?: string
  readonly ticket?: Ticket
  readonly id?: string
  readonly reason?: string
}

export type IntakeEvent =
  | { type: 'tickets.received'; lines: readonly ReceivedLine[] }
  | { type: 'ticket.rested'; id: string; rest: Rest }
  | { type: 'desk.opened' }

interface IntakeContext {
  /** Tickets so far; also the number of the next. */
  readonly arrived: number
  /** The queue holds the numbers from `head` to before `tail`. */
  readonly head: number
  readonly tail: number
  /** Between proposal and rest. A case that waits for a human is at rest. */
  readonly active: number
  readonly duplicates: number
}

interface Change {
  readonly context: IntakeContext
  readonly performed: readonly Performed[]
}

/**
 * Takes tickets in, each once, and lets at most `agents` of them be worked on at a time. What it knows of a ticket is
 * a keyed row, so that a turn costs the same with ten tickets and with ten thousand.
 */
export function createIntake(agents: number) {
  return setup({
    types: { context: {} as IntakeContext, events: {} as IntakeEvent },
  }).createMachine({
    id: 'intake',
    version: '1',
    context: { arrived: 0, head: 0, tail: 0, active: 0, duplicates: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          'tickets.received': {
            actions: [
              perform(({ context, event }) => receive(context, event.lines, agents).performed),
              assign(({ context, event }) => receive(context, event.lines, agents).context),
            ],
          },
          'ticket.rested': {
            actions: [
              perform(({ context, event }) => rest(context, event, agents).performed),
              assign(({ context, event }) => rest(context, event, agents).context),
            ],
          },
          // After a restart with more agents there may be room at once.
          'desk.opened': {
            actions: [
              perform(({ context }) => open(context, agents).performed),
              assign(({ context }) => open(context, agents).context),
            ],
          },
        },
      },
    },
  })
}

/** Where the agent of a ticket lives: under its own id, or under a hash when the id is no part of an address. */
export function ticketAddress(id: string): string {
  const segment =
    isSegment(id) && !id.startsWith('~')
      ? id
      : `~${createHash('sha256').update(id).digest('hex').slice(0, 40)}`
  return `${TICKETS}/${segment}`
}

/** Rows written so far in this turn, over those that were there before it. */
class Draft {
  readonly written = new Map<string, Json>()
  readonly sent: Performed[] = []
  private readonly rows = thisTurn().rows

  get(key: string): Json | undefined {
    return this.written.has(key) ? (this.written.get(key) ?? undefined) : this.rows.get(key)
  }

  put(key: string, value: Json): void {
    this.written.set(key, value)
  }

  done(context: IntakeContext): Change {
    const rows = [...this.written].map(([key, value]): Performed => ({ kind: 'put', key, value }))
    return { context, performed: [...rows, ...this.sent] }
  }
}

function receive(context: IntakeContext, lines: readonly ReceivedLine[], agents: number): Change {
  const draft = new Draft()
  let { arrived, tail, duplicates } = context
  const counts = { taken: 0, duplicates: 0, invalid: 0, known: 0 }
  for (const [i, { line: place, ticket, id, reason }] of lines.entries()) {
    const line = place ?? `${thisTurn().message.id}.${i}`
    if (draft.get(`line:${line}`) !== undefined) {
      counts.known++
      continue
    }
    draft.put(`line:${line}`, arrived)
    if (ticket === undefined) {
      const rest: Rest = {
        outcome: 'invalid',
        rules: ['invalid'],
        reason: reason ?? 'not a ticket',
      }
      draft.put(`invalid:${line}`, {
        number: arrived++,
        id: id ?? line,
        state: 'rested',
        rest,
      } as unknown as Json)
      counts.invalid++
    } else if (draft.get(`ticket:${ticket.id}`) !== undefined) {
      duplicates++
      counts.duplicates++
    } else {
      draft.put(`ticket:${ticket.id}`, {
        number: arrived++,
        id: ticket.id,
        state: 'queued',
        ticket,
      } as unknown as Json)
      draft.put(`queue:${tail++}`, ticket.id)
      counts.taken++
    }
  }
  const filled = fill({ ...context, arrived, tail, duplicates }, draft, agents)
  draft.sent.push({ kind: 'reply', event: { type: 'tickets.taken', ...counts } })
  return draft.done(filled)
}

function rest(
  context: IntakeContext,
  { id, rest: came }: Extract<IntakeEvent, { type: 'ticket.rested' }>,
  agents: number,
): Change {
  const draft = new Draft()
  const row = draft.get(`ticket:${id}`) as unknown as TicketRow | undefined
  if (row === undefined) return draft.done(context)
  const { ticket: _, ...kept } = row
  draft.put(`ticket:${id}`, {
    ...kept,
    state: 'rested',
    rest: { ...row.rest, ...came },
  } as unknown as Json)
  const active = row.state === 'active' ? context.active - 1 : context.active
  return draft.done(fill({ ...context, active }, draft, agents))
}

function open(context: IntakeContext, agents: number): Change {
  const draft = new Draft()
  const filled = fill(context, draft, agents)
  draft.sent.push({ kind: 'reply', event: { type: 'desk.ready', duplicates: context.duplicates } })
  return draft.done(filled)
}

/** Hands out queued tickets while agents are free. */
function fill(context: IntakeContext, draft: Draft, agents: number): IntakeContext {
  let { head, active } = context
  for (; active < agents && head < context.tail; head++, active++) {
    const id = draft.get(`queue:${head}`) as string
    const row = draft.get(`ticket:${id}`) as unknown as TicketRow
    draft.put(`queue:${head}`, null)
    draft.put(`ticket:${id}`, { ...row, state: 'active' } as unknown as Json)
    draft.sent.push({
      kind: 'tell',
      to: ticketAddress(id),
      event: { type: 'ticket.assigned', ticket: row.ticket },
      lane: 'user',
    })
  }
  return { ...context, head, active }
}
