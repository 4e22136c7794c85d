import { describeEntry, type TraceEntry } from './trace.ts'

/** Lines of a diagram; of longer runs the end is shown. */
export const SEQUENCE_LINES_MAX = 120

/** A run as a Mermaid sequence diagram: who sent what to whom, with faults and the breach as notes. */
export function toSequence(entries: readonly TraceEntry[], breach?: string): string {
  const participants = new Map<string, string>([['outside', 'O']])
  const nameOf = (address: string) => {
    const known = participants.get(address)
    if (known !== undefined) return known
    const made = `A${participants.size}`
    participants.set(address, made)
    return made
  }
  const all = entries.flatMap((entry) => lineOf(entry, nameOf))
  const left = all.length - SEQUENCE_LINES_MAX
  const lines = left <= 0 ? all : [note(`${left} lines before`), ...all.slice(left)]
  const cast = [...participants].map(([address, id]) => `participant ${id} as ${text(address)}`)
  const end = breach === undefined ? [] : [note(`BROKEN: ${breach}`)]
  return ['sequenceDiagram', ...[...cast, ...lines, ...end].map((line) => `  ${line}`)].join('\n')
}

function lineOf(entry: TraceEntry, nameOf: (address: string) => string): string[] {
  const at = `${(entry.elapsedMs / 1000).toFixed(1)} s`
  switch (entry.kind) {
    case 'turn': {
      const { actor, message, state, seq } = entry.record
      const from = nameOf(message.headers.from ?? 'outside')
      const to = nameOf(actor)
      return [`${from}->>${to}: ${text(`${message.type} #${seq} ${JSON.stringify(state)}`)}`]
    }
    case 'effectHappened':
      return [`Note over ${nameOf('outside')}: ${text(`${at} ${describeEntry(entry)}`)}`]
    case 'fault':
    case 'crashed':
    case 'started':
    case 'refused':
    case 'exit':
    case 'restart':
      return [note(`${at} ${describeEntry(entry)}`)]
    case 'sent':
    case 'acknowledged':
    case 'effectBegun':
    case 'decided':
    case 'decisionAnswered':
    case 'deadLetter':
    case 'mailbox':
      return []
  }
}

function note(what: string): string {
  return `Note over O: ${text(what)}`
}

/** Mermaid ends a text at a semicolon, and takes some characters for its own. */
function text(raw: string): string {
  return raw
    .replace(/[;#<>{}"]/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 160)
}
