import { assign, setup } from 'xstate'
import { MESSAGE_BYTES_MAX, type Event } from '../../src/kernel/message.ts'

/** Keeps what it is told. */
export const lister = setup({
  types: { context: {} as { seen: unknown[] }, events: {} as Event },
}).createMachine({
  id: 'lister',
  context: { seen: [] },
  on: {
    note: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.what] }) },
  },
})

export const boom = () => {
  throw new Error('read')
}

export const revoked = (): Event => {
  const { proxy, revoke } = Proxy.revocable({ type: 'note' }, {})
  revoke()
  return proxy
}

const deep = (levels: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = { value }
  return value
}

/** Each of these must be refused, whoever it is sent to. */
export const refused: [string, () => Event][] = [
  ...['xstate.init', 'xstate.stop', 'xstate.done.actor.x', 'xstate.after.10.x'].map(
    (type): [string, () => Event] => [type, () => ({ type })],
  ),
  ...['ambit.start', 'ambit.stop', 'ambit.post', 'ambit.member.ended', 'ambit.reply'].map(
    (type): [string, () => Event] => [type, () => ({ type, target: '', event: { type: 'note' } })],
  ),
  ['the type of all events', () => ({ type: '*' })],
  ['33 levels', () => ({ type: 'note', what: deep(33) })],
  ['more than a mebibyte', () => ({ type: 'note', what: 'x'.repeat(MESSAGE_BYTES_MAX) })],
  ['a type whose getter throws', () => Object.defineProperty({}, 'type', { get: boom }) as Event],
  [
    'a field whose getter throws',
    () => Object.defineProperty({ type: 'note' }, 'what', { enumerable: true, get: boom }) as Event,
  ],
  ['a revoked proxy', revoked],
  ['a revoked proxy inside', () => ({ type: 'note', what: revoked() })],
  [
    'a proxy whose keys cannot be read',
    () => new Proxy({ type: 'note' }, { ownKeys: boom }) as Event,
  ],
  [
    'a proxy without a prototype',
    () => new Proxy({ type: 'note' }, { getPrototypeOf: boom }) as Event,
  ],
  ['a function as a proxy', () => new Proxy(() => 1, {}) as unknown as Event],
  [
    'a mebibyte whose toJSON says little',
    () =>
      Object.defineProperty({ type: 'note', what: 'x'.repeat(2 * MESSAGE_BYTES_MAX) }, 'toJSON', {
        value: () => ({ type: 'note' }),
      }),
  ],
  [
    'a mebibyte whose toJSON says nothing',
    () =>
      Object.defineProperty({ type: 'note', what: 'x'.repeat(2 * MESSAGE_BYTES_MAX) }, 'toJSON', {
        value: () => undefined,
      }),
  ],
  ['a toJSON of its own', () => ({ type: 'note', toJSON: () => ({ type: 'xstate.stop' }) })],
  ['a symbol', () => ({ type: 'note', what: Symbol('x') })],
  ['a bigint', () => ({ type: 'note', what: 1n })],
  ['a map', () => ({ type: 'note', what: new Map() })],
]

/** What a call answers, or what it throws: so that a table of calls can be looked at whole. */
export function attempt(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return { thrown: error }
  }
}

export function cycle(): Event {
  const event: { type: string; self?: unknown } = { type: 'note' }
  event.self = event
  return event
}
