import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONTROL_BURST_MAX,
  Mailbox,
  mailboxDefaults,
  type Lane,
  type MailboxLimits,
} from '../../src/kernel/mailbox.ts'
import type { Message } from '../../src/kernel/message.ts'
import { refutes } from '../support/refutes.ts'

const lanes = ['system', 'reply', 'control', 'user'] as const

const message = (id: string, attempt?: number): Message => ({
  id,
  type: 'go',
  to: '/a',
  body: { type: 'go' },
  headers: attempt === undefined ? {} : { attempt },
})

const mailbox = (limits: Partial<MailboxLimits> = {}) =>
  new Mailbox({ ...mailboxDefaults, ...limits })

const fill = (box: Mailbox, lane: Lane, count: number) => {
  for (let i = 0; i < count; i++) box.offer(message(`${lane}-${i}`), lane)
}

const takeAll = (box: Mailbox) => box.drain().map((taken) => taken.message.id)

describe('lanes', () => {
  test('T4 the defaults are 1,024 user and 128 control messages, and the sender is told', () => {
    expect(mailboxDefaults).toEqual({
      userLengthMax: 1024,
      controlLengthMax: 128,
      overflow: 'reject',
    })
  })

  test.each(['system', 'reply'] as const)('T4 the %s lane is never full', (lane) => {
    const box = mailbox({ userLengthMax: 1, controlLengthMax: 1 })
    fill(box, lane, 5000)
    expect(box.isFull(lane)).toBe(false)
    expect(box.offer(message('one more'), lane)).toEqual({ status: 'accepted' })
    expect(box.size(lane)).toBe(5001)
  })

  test.each([
    ['control', 128],
    ['user', 1024],
  ] as const)('T4 the %s lane refuses message number %i plus one', (lane, limit) => {
    const box = mailbox()
    fill(box, lane, limit)
    expect(box.isFull(lane)).toBe(true)
    expect(box.offer(message('one more'), lane)).toEqual({ status: 'full' })
    expect(box.size(lane)).toBe(limit)
  })

  test('T4 a full lane does not close the other lanes', () => {
    const box = mailbox({ userLengthMax: 1, controlLengthMax: 1 })
    fill(box, 'user', 1)
    fill(box, 'control', 1)
    for (const lane of ['system', 'reply'] as const) {
      expect(box.offer(message(lane), lane)).toEqual({ status: 'accepted' })
    }
    expect(box.length).toBe(4)
  })

  test('T4 system goes before reply, reply before control, control before user', () => {
    const box = mailbox()
    for (const lane of [...lanes].reverse()) fill(box, lane, 2)
    expect(takeAll(box)).toEqual(lanes.flatMap((lane) => [`${lane}-0`, `${lane}-1`]))
  })

  test('T3 each lane is first in, first out, whatever else is offered and taken', () => {
    fc.assert(fc.property(script(), (steps) => isFifo(steps, (box) => box.take()?.id)))
  })

  test('T3 the order property refutes a mailbox that takes the newest first', () => {
    const lifo = (box: Mailbox) => {
      const rest = box.drain()
      const last = rest.pop()
      for (const each of rest) box.offer(each.message, each.lane)
      return last?.message.id
    }
    const refuted = refutes(fc.property(script(), (steps) => isFifo(steps, lifo)))
    expect(refuted).toBe(true)
  })

  test('T1 a message that is put back is the first of its lane again', () => {
    const box = mailbox()
    fill(box, 'user', 3)
    const first = box.take()
    expect(first?.id).toBe('user-0')
    box.putBack(message('user-0', 1), 'user')
    expect(takeAll(box)).toEqual(['user-0', 'user-1', 'user-2'])
  })

  test('R5 a message tried as often as allowed is found at the head of its lane only', () => {
    const box = mailbox()
    fill(box, 'user', 2)
    expect(box.takeTried(2, 5)).toBeUndefined()
    box.putBack(message('bad', 2), 'user')
    expect(box.takeTried(3, 5)).toBeUndefined()
    expect(box.takeTried(2, 5)).toMatchObject({ lane: 'user', message: { id: 'bad' } })
    expect(takeAll(box)).toEqual(['user-0', 'user-1'])
  })
})

describe('control and user', () => {
  test('T5 after 16 control messages one user message is taken', () => {
    expect(CONTROL_BURST_MAX).toBe(16)
    const box = mailbox()
    fill(box, 'control', 40)
    fill(box, 'user', 3)
    const order = takeAll(box).map((id) => (id.startsWith('control') ? 'c' : 'u'))
    const burst = 'c'.repeat(16)
    expect(order.join('')).toBe(`${burst}u${burst}u${'c'.repeat(8)}u`)
  })

  test('T5 without user messages control messages are taken without a pause', () => {
    const box = mailbox()
    fill(box, 'control', 100)
    expect(takeAll(box)).toHaveLength(100)
  })

  test('T5 among any messages no user message waits for more than 16 control messages', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 20 }), (control, user) => {
        const box = mailbox()
        fill(box, 'control', control)
        fill(box, 'user', user)
        let waited = 0
        while (box.size('user') > 0) {
          box.take()
          if (box.takenFrom === 'user') waited = 0
          else waited++
          expect(waited).toBeLessThanOrEqual(CONTROL_BURST_MAX)
        }
      }),
    )
  })
})

describe('overflow', () => {
  test('T6 reject answers that the lane is full and keeps what is there', () => {
    const box = mailbox({ userLengthMax: 2, overflow: 'reject' })
    fill(box, 'user', 3)
    expect(takeAll(box)).toEqual(['user-0', 'user-1'])
  })

  test('T6 deadLetter gives back the message that does not fit', () => {
    const box = mailbox({ userLengthMax: 2, overflow: 'deadLetter' })
    fill(box, 'user', 2)
    const newest = message('newest')
    expect(box.offer(newest, 'user')).toEqual({ status: 'dropped', message: newest })
    expect(takeAll(box)).toEqual(['user-0', 'user-1'])
  })

  test('T6 dropOldest gives back the oldest message and takes the newest', () => {
    const box = mailbox({ userLengthMax: 2, overflow: 'dropOldest' })
    fill(box, 'user', 2)
    const offer = box.offer(message('newest'), 'user')
    expect(offer).toMatchObject({ status: 'dropped', message: { id: 'user-0' } })
    expect(takeAll(box)).toEqual(['user-1', 'newest'])
  })

  test.each(['reject', 'deadLetter', 'dropOldest'] as const)(
    'T6 the control lane refuses its sender also when user messages are handled by %s',
    (overflow) => {
      const box = mailbox({ controlLengthMax: 1, overflow })
      fill(box, 'control', 1)
      expect(box.offer(message('one more'), 'control')).toEqual({ status: 'full' })
    },
  )
})

type Step = { readonly offer: Lane } | 'take'

function script(): fc.Arbitrary<Step[]> {
  const offer = fc.constantFrom(...lanes).map((lane) => ({ offer: lane }))
  return fc.array(fc.oneof(offer, fc.constant('take' as const)), { maxLength: 200, size: 'max' })
}

/** Whether the messages of each lane come out in the order in which they went in. */
function isFifo(steps: readonly Step[], take: (box: Mailbox) => string | undefined): boolean {
  const box = mailbox()
  const sent = new Map<string, number>()
  const seen = new Map<string, number>()
  for (const step of steps) {
    if (step !== 'take') {
      const number = (sent.get(step.offer) ?? 0) + 1
      sent.set(step.offer, number)
      box.offer(message(`${step.offer} ${number}`), step.offer)
      continue
    }
    const [lane = '', number] = take(box)?.split(' ') ?? []
    if (number === undefined) continue
    if (Number(number) !== (seen.get(lane) ?? 0) + 1) return false
    seen.set(lane, Number(number))
  }
  return true
}
