import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseTicket } from '../../examples/refund-desk/ticket.ts'

const base = { id: 'r-1', customer: 'ada', text: 'I want a refund.' }
const facts = { order: 'A-1', amount: '499.99', currency: 'USD' }

function parse(value: unknown) {
  return parseTicket(JSON.stringify(value))
}

/** Arrays around arrays, as text. */
function nest(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}

test('X3 a ticket with all its facts is read as it is', () => {
  const whole = { ...base, facts: { ...facts, category: 'legal', confidence: 0.5 } }
  expect(parse(whole)).toEqual({ ok: true, ticket: whole })
})

test('X3 a ticket without facts has empty facts', () => {
  expect(parse(base)).toEqual({ ok: true, ticket: { ...base, facts: {} } })
})

test.each([[{ order: 'A-1' }], [{ amount: '5' }], [{ currency: 'EUR' }], [{ confidence: 0 }]])(
  'X3 facts may be partial: %j',
  (part) => {
    expect(parse({ ...base, facts: part })).toEqual({ ok: true, ticket: { ...base, facts: part } })
  },
)

test('X3 unknown fields such as the label are not kept', () => {
  const read = parse({ ...base, label: 'request_refund', facts: { ...facts, label: 'x' } })
  expect(read).toEqual({ ok: true, ticket: { ...base, facts } })
})

test.each(['5', '0.01', '499.9', '499.99', '999999999999.99'])(
  'X3 the amount %j is a plain decimal',
  (amount) => {
    expect(parse({ ...base, facts: { ...facts, amount } }).ok).toBe(true)
  },
)

test.each([
  '-20.00',
  '0',
  '0.00',
  '19.999',
  '1e3',
  ' 5',
  '5 ',
  '5,00',
  '1,299.00',
  '+5',
  '.5',
  '5.',
  '',
  '0x10',
  'NaN',
  'Infinity',
  '$5',
  '٥',
  '5\n',
  '1234567890123',
  5,
  5.5,
  null,
  true,
  ['5'],
  {},
])('X3 the amount %j is invalid', (amount) => {
  const read = parse({ ...base, facts: { ...facts, amount } })
  expect(read).toEqual({
    ok: false,
    id: 'r-1',
    reason: expect.stringMatching(
      /^facts\.amount: expected a plain decimal .*, got .+\.$/,
    ) as string,
  })
})

test.each(['XYZ', 'usd', 'US', 'USDT', '$', '', ' USD', 840, null])(
  'X3 the currency %j is invalid',
  (currency) => {
    const read = parse({ ...base, facts: { ...facts, currency } })
    expect(read).toMatchObject({ ok: false, id: 'r-1' })
    expect(read.ok ? '' : read.reason).toMatch(/^facts\.currency: expected an ISO 4217 code/)
  },
)

test.each([
  ['JPY', '500', true],
  ['JPY', '500.00', false],
  ['KRW', '1.5', false],
  ['KWD', '5.50', true],
  ['KWD', '5.500', false],
])('X3 an amount in %s may be %s: %s', (currency, amount, ok) => {
  expect(parse({ ...base, facts: { order: 'A-1', amount, currency } }).ok).toBe(ok)
})

test.each([
  ['line', null],
  ['line', []],
  ['line', 'text'],
  ['line', 5],
  ['id', { ...base, id: undefined }],
  ['id', { ...base, id: '' }],
  ['id', { ...base, id: 7 }],
  ['id', { ...base, id: 'x'.repeat(201) }],
  ['customer', { ...base, customer: '' }],
  ['customer', { ...base, customer: 'x'.repeat(201) }],
  ['text', { ...base, text: undefined }],
  ['text', { ...base, text: 'x'.repeat(20_001) }],
  ['facts', { ...base, facts: null }],
  ['facts', { ...base, facts: [] }],
  ['facts.order', { ...base, facts: { order: '' } }],
  ['facts.category', { ...base, facts: { category: 5 } }],
  ['facts.confidence', { ...base, facts: { confidence: 1.01 } }],
  ['facts.confidence', { ...base, facts: { confidence: '0.9' } }],
])('X3 a wrong %s is named in the reason (%#)', (field, value) => {
  const read = parse(value)
  expect(read.ok ? '' : read.reason).toMatch(new RegExp(`^${field}: expected .+, got .+\\.$`, 's'))
})

test('X3 the id of an invalid ticket is told only if it is a good one', () => {
  expect(parse({ ...base, text: 5 })).toMatchObject({ ok: false, id: 'r-1' })
  expect(parse({ ...base, id: 5, text: 5 })).not.toHaveProperty('id')
  expect(parseTicket('{"id":"r-1",')).not.toHaveProperty('id')
})

test('X3 a line of more than 1 MiB is invalid, counted in bytes', () => {
  const wide = JSON.stringify({ ...base, note: 'ä'.repeat(524_288) })
  expect(wide.length).toBeLessThan(1_048_576)
  expect(parseTicket(wide)).toEqual({
    ok: false,
    reason: expect.stringMatching(/^line: expected at most 1048576 bytes/) as string,
  })
})

test('X3 a line nested deeper than 32 levels is invalid', () => {
  const line = (levels: number) => `{"id":"a","customer":"b","text":"c","deep":${nest(levels)}}`
  expect(parseTicket(line(31)).ok).toBe(true)
  expect(parseTicket(line(32)).ok).toBe(false)
  expect(parseTicket(nest(10_000)).ok).toBe(false)
  expect(parseTicket('['.repeat(1_000_000)).ok).toBe(false)
})

test('X3 brackets within a text are no nesting', () => {
  expect(parse({ ...base, text: `"\\${'['.repeat(100)}` }).ok).toBe(true)
})

test('X3 prototype keys do no harm', () => {
  const line =
    '{"__proto__":{"polluted":true},"id":"a","customer":"b","text":"c",' +
    '"facts":{"__proto__":{"order":"evil"},"constructor":{"prototype":{"polluted":true}}}}'
  const read = parseTicket(line)
  expect(read).toEqual({ ok: true, ticket: { id: 'a', customer: 'b', text: 'c', facts: {} } })
  expect(read.ok && read.ticket.facts.order).toBeUndefined()
  expect({}).not.toHaveProperty('polluted')
})

test('X3 no string makes the parser throw', () => {
  const lines = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.object().map((some) => JSON.stringify({ ...base, facts: some })),
  )
  fc.assert(
    fc.property(lines, (line) => {
      const read = parseTicket(line)
      expect(read.ok || read.reason.length > 0).toBe(true)
    }),
  )
})

test('X3 whatever stands in the facts, the parser answers, and an amount that it lets pass is plain', () => {
  const value = fc.oneof(
    fc.string(),
    fc.jsonValue(),
    fc.constantFrom('5.00', 'USD', 'JPY', '-1', '1e3'),
  )
  const anyFacts = fc.record({ order: value, amount: value, currency: value }, { requiredKeys: [] })
  fc.assert(
    fc.property(anyFacts, (some) => {
      const read = parse({ ...base, facts: some })
      if (read.ok && read.ticket.facts.amount !== undefined) {
        expect(read.ticket.facts.amount).toMatch(/^\d{1,12}(\.\d{1,2})?$/)
        expect(Number(read.ticket.facts.amount)).toBeGreaterThan(0)
      }
    }),
  )
})

test('X3 of the sample tickets five lines are invalid and at least 48 are good', () => {
  const file = new URL('../../examples/refund-desk/tickets.sample.jsonl', import.meta.url)
  const read = readFileSync(file, 'utf8').trimEnd().split('\n').map(parseTicket)
  expect(read.filter(({ ok }) => !ok)).toHaveLength(5)
  expect(read.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(48)
})
