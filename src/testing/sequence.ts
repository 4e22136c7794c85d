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
  const shown = entries.filter(({ kind }) => drawn.has(kind))
  const left = shown.length - SEQUENCE_LINES_MAX
  const last = shown.slice(-SEQUENCE_LINES_MAX).map((entry) => lineOf(entry, nameOf))
  const lines = left <= 0 ? last : [note(`${left} lines before`), ...last]
  const cast = [...participants].map(([address, id]) => `participant ${id} as ${text(address)}`)
  const end = breach === undefined ? [] : [note(`BROKEN: ${breach}`)]
  return ['sequenceDiagram', ...[...cast, ...lines, ...end].map((line) => `  ${line}`)].join('\n')
}

const drawn = new Set([
  'turn',
  'effectHappened',
  'fault',
  'crashed',
  'started',
  'refused',
  'exit',
  'restart',
])

function lineOf(entry: TraceEntry, nameOf: (address: string) => string): string {
  const at = `${(entry.elapsedMs / 1000).toFixed(1)} s`
  if (entry.kind !== 'turn') return note(`${at} ${describeEntry(entry)}`)
  const { actor, message, state, seq } = entry.record
  const from = nameOf(message.headers.from ?? 'outside')
  return `${from}->>${nameOf(actor)}: ${text(`${message.type} #${seq} ${JSON.stringify(state)}`)}`
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
