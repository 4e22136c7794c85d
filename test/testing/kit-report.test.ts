import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromList, playRun, toSequence, type TraceEntry } from 'ambit/testing'
import { SEQUENCE_LINES_MAX } from '../../src/testing/sequence.ts'
import { toInspection } from '../../src/testing/inspection.ts'
import { relay } from '../../examples/simulations/relay.ts'

const turn = (actor: string, type: string, state: unknown, from?: string, seq = 1) =>
  ({
    kind: 'turn',
    step: 1,
    elapsedMs: 0,
    rows: [],
    record: {
      actor,
      seq,
      at: 1000 + seq,
      state,
      status: 'active',
      message: { id: 'm', type, body: { type }, headers: from === undefined ? {} : { from } },
    },
  }) as unknown as TraceEntry

const fault = (where: string) =>
  ({ kind: 'fault', fault: 'crash', where, step: 1, elapsedMs: 1500 }) as TraceEntry

/** What Mermaid takes as a line of a sequence diagram; a text ends at a line break, a semicolon or a hash. */
const line = /^ {2}(participant [OA]\d* as|[OA]\d*->>[OA]\d*:|Note over O:) [^;#<>{}"\r\n]{1,160}$/

describe('a sequence diagram', () => {
  test('V15 says who sent what to whom, with faults and the breach as notes', () => {
    const entries = [
      turn('/a', 'go', 'up'),
      fault('the commit of /a'),
      turn('/b', 'next', { n: 1 }, '/a', 7),
    ]
    expect(toSequence(entries, 'mine: It broke.').split('\n')).toEqual(
      [
        'sequenceDiagram',
        '  participant O as outside',
        '  participant A1 as /a',
        '  participant A2 as /b',
        '  O->>A1: go 1 up',
        '  Note over O: 1.5 s fault: crash at the commit of /a',
        '  A1->>A2: next 7 n :1',
        '  Note over O: BROKEN: mine: It broke.',
      ].map((text) =>
        text.replace('go 1 up', 'go 1 up ').replace('n :1', ' n :1 ').replace('7  n', '7 n'),
      ),
    )
  })

  test('V15 stays one whatever texts are in it', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'a;b',
        '#35;',
        '"',
        'x\ny',
        'end',
        '%%{init}%%',
        '<script>',
        '\u2028',
        'x'.repeat(5000),
      ),
    )
    fc.assert(
      fc.property(hostile, hostile, hostile, (type, state, where) => {
        const lines = toSequence([turn('/a', type, state), fault(where)], where).split('\n')
        expect(lines.shift()).toBe('sequenceDiagram')
        for (const each of lines) expect(each).toMatch(line)
      }),
    )
  })

  test('V15 shows the end of a long run, and only who acts there', () => {
    const entries = Array.from({ length: 2000 }, (_, i) => turn(`/a-${i}`, 'go', i))
    const lines = toSequence(entries, 'it').split('\n')
    expect(lines).toContain(`  Note over O: ${2000 - SEQUENCE_LINES_MAX} lines before`)
    expect(lines.filter((each) => each.includes('participant'))).toHaveLength(
      SEQUENCE_LINES_MAX + 1,
    )
    expect(lines).toHaveLength(2 * SEQUENCE_LINES_MAX + 4)
  })
})

describe('an inspection', () => {
  test('V15 introduces an actor before its first event, and follows each event with a snapshot', () => {
    const entries = [
      turn('/a', 'go', 'up'),
      fault('here'),
      turn('/b', 'next', 'on', '/a', 2),
      turn('/a', 'go', 'down', undefined, 3),
    ]
    const snapshot = (value: string) => ({ status: 'active', value, context: {} })
    const every = { rootId: '/', _version: '0.7.2' }
    const at = (id: string, createdAt: string) => ({ ...every, id, createdAt })
    const event = { type: 'go' }
    expect(toInspection(entries)).toEqual([
      {
        ...at('1', '1001'),
        type: '@xstate.actor',
        sessionId: '/a',
        name: '/a',
        snapshot: snapshot('up'),
      },
      { ...at('2', '1001'), type: '@xstate.event', sessionId: '/a', event },
      {
        ...at('3', '1001'),
        type: '@xstate.snapshot',
        sessionId: '/a',
        event,
        snapshot: snapshot('up'),
      },
      {
        ...at('4', '1002'),
        type: '@xstate.actor',
        sessionId: '/b',
        name: '/b',
        snapshot: snapshot('on'),
      },
      {
        ...at('5', '1002'),
        type: '@xstate.event',
        sessionId: '/b',
        sourceId: '/a',
        event: { type: 'next' },
      },
      {
        ...at('6', '1002'),
        type: '@xstate.snapshot',
        sessionId: '/b',
        event: { type: 'next' },
        snapshot: snapshot('on'),
      },
      { ...at('7', '1003'), type: '@xstate.event', sessionId: '/a', event },
      {
        ...at('8', '1003'),
        type: '@xstate.snapshot',
        sessionId: '/a',
        event,
        snapshot: snapshot('down'),
      },
    ])
  })

  test('V15 of a whole run can be sent as JSON', async () => {
    const { trace } = await playRun(relay(), fromList([]))
    const events = toInspection(trace.entries)
    const turns = trace.entries.filter(({ kind }) => kind === 'turn').length
    expect(events.filter(({ type }) => type === '@xstate.snapshot')).toHaveLength(turns)
    expect(JSON.parse(JSON.stringify(events))).toEqual(events)
  })
})
