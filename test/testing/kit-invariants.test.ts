import { describe, expect, test } from 'vitest'
import {
  mailboxBounded,
  messagesConserved,
  restartIntensityBounded,
  thoughtLogUnbroken,
  type Happening,
  type Invariant,
} from 'ambit/testing'
import { CHAIN_START, type StoredTurn } from '../../src/kernel/ports/journal.ts'
import type { Message } from '../../src/kernel/message.ts'
import { sha256 } from '../../src/kernel/json.ts'
import { message, stream, failedAndRestarted, verdict, turn, at } from '../support/traces.ts'

const holds = undefined
const table: [Invariant, string, readonly Happening[], string | undefined][] = [
  [restartIntensityBounded(), 'five', [1, 2, 3, 4, 5].flatMap(failedAndRestarted), holds],
  [
    restartIntensityBounded(),
    'six',
    [1, 2, 3, 4, 5, 6].flatMap(failedAndRestarted),
    '/a was restarted 6 times in 60000 ms.',
  ],
  [
    restartIntensityBounded({ max: 1, periodMs: 10 }),
    'of one in ten milliseconds, one each ten',
    [0, 10, 20].flatMap(failedAndRestarted),
    holds,
  ],
  [
    restartIntensityBounded({ max: 1 }),
    'a new process between',
    [...failedAndRestarted(1), { kind: 'started', process: 2 }, ...failedAndRestarted(2)],
    holds,
  ],
  [
    mailboxBounded({ max: 3 }),
    'at its limit',
    [{ kind: 'mailbox', address: '/a', length: 3 }],
    holds,
  ],
  [
    mailboxBounded({ max: 3 }),
    'over it',
    [{ kind: 'mailbox', address: '/a', length: 4 }],
    '4 messages wait for /a; at most 3 may.',
  ],
  ...((): [Invariant, string, readonly Happening[], string | undefined][] => {
    const sent: Happening = { kind: 'sent', id: 'i-1', to: '/a', type: 'go' }
    const acknowledged: Happening = { kind: 'acknowledged', id: 'i-1' }
    return [
      [messagesConserved, 'stored', [sent, message({ once: 'i-1' }), acknowledged], holds],
      [messagesConserved, 'refused', [sent, { kind: 'refused', id: 'i-1', reason: 'no' }], holds],
      [
        messagesConserved,
        'not stored',
        [sent, acknowledged],
        'i-1 was acknowledged and is not stored.',
      ],
      [messagesConserved, 'no answer', [sent], 'i-1 was sent, and nobody ever answered.'],
      [messagesConserved, 'in order', [1, 2, 3].map((n) => message(stream(n))), holds],
      [
        messagesConserved,
        'a gap',
        [1, 3].map((n) => message(stream(n))),
        '/a took number 3 from /s, 2 was next.',
      ],
    ]
  })(),
]

describe('invariants', () => {
  test.each(table.map(([one, how, trace, said]) => ({ name: one.name, one, how, trace, said })))(
    'V20 $name: $how',
    async ({ one, trace, said }) => {
      expect(await verdict(one, trace)).toBe(said)
    },
  )

  const turns = (...seqs: [number, number][]) =>
    seqs.map(([number, ms]) => turn('/a', { seq: number, at: at + ms }))
  const stored = (position: number, previous: string): StoredTurn => ({
    position,
    address: '/a',
    seq: position,
    record: `{"n":${position}}`,
    previous,
    hash: sha256(previous, `{"n":${position}}`),
  })

  test('V20 thoughtLogUnbroken: turns that are missing, that run back, and a chain that does not hold', async () => {
    const says = (...seqs: [number, number][]) => verdict(thoughtLogUnbroken, turns(...seqs))
    expect(await says([1, 0], [2, 0])).toBeUndefined()
    expect(await says([1, 0], [3, 0])).toBe('Turn 3 of /a follows turn 1.')
    expect(await says([1, 5], [2, 4])).toBe('Turn 2 of /a comes before turn 1.')
    const first = stored(1, CHAIN_START)
    expect(await verdict(thoughtLogUnbroken, [], [first, stored(2, first.hash)])).toBeUndefined()
    const broken = await verdict(thoughtLogUnbroken, [], [first, stored(2, 'else')])
    expect(broken).toMatch(/^The log is broken: \{.*"position":2.*\}\.$/)
  })

  test('V20 messagesConserved: what lies in an outbox at rest', async () => {
    const left = { id: 'm-1', type: 'drop', to: '/sink' } as Message
    expect(await verdict(messagesConserved, [], [], [left])).toBe(
      'drop (m-1) lies in an outbox, and /sink does not get it.',
    )
  })
})
