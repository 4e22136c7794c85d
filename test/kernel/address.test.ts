import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ADDRESS_DEPTH_MAX,
  childAddress,
  childId,
  isSegment,
  isWithin,
  parentAddress,
  parseAddress,
} from '../../src/kernel/address.ts'
import { refusal } from '../support/refusal.ts'

test.each([
  '/orders',
  '/orders/refund',
  '/a/b/c/d',
  '/x@y.z/1:2#3=4+5-6_7~8',
  `/${'a'.repeat(200)}`,
])('T16 %s is an address', (text) => {
  expect(parseAddress(text)).toBe(text)
})

const wrong: [string, string][] = [
  ['empty', ''],
  ['the root alone', '/'],
  ['without a leading slash', 'orders/refund'],
  ['with a trailing slash', '/orders/'],
  ['with an empty segment', '/orders//refund'],
  ['with a dot segment', '/orders/./refund'],
  ['with a way up', '/orders/../refund'],
  ['with a space', '/orders/my refund'],
  ['with a query', '/orders?x=1'],
  ['with a line break', '/orders\n'],
  ['with an umlaut', '/aufträge'],
  ['with a segment of 201 letters', `/${'a'.repeat(201)}`],
  ['one level too deep', '/a'.repeat(ADDRESS_DEPTH_MAX + 1)],
]

test.each(wrong)('T16 a path %s is refused with an example', (_, text) => {
  const { code, message } = refusal(() => parseAddress(text))
  expect(code).toBe('AMBIT_ADDRESS_INVALID')
  expect(message).toContain('/orders/refund')
})

test('T16 a refusal quotes at most 200 characters of what it got', () => {
  expect(refusal(() => parseAddress('x'.repeat(100_000))).message.length).toBeLessThan(400)
})

test('T16 an address may be 16 segments deep', () => {
  expect(ADDRESS_DEPTH_MAX).toBe(16)
  expect(parseAddress('/a'.repeat(16))).toHaveLength(32)
})

const segment = fc.stringMatching(/^[A-Za-z0-9._~:@#=+-]{1,20}$/).filter(isSegment)
const path = fc.array(segment, { minLength: 1, maxLength: ADDRESS_DEPTH_MAX })

test('T16 an address is the path of child ids that made it', () => {
  fc.assert(
    fc.property(path, (segments) => {
      const address = segments.reduce(childAddress, '/')
      expect(parseAddress(address)).toBe(address)
      expect(childId(address)).toBe(segments.at(-1))
      expect(parentAddress(address)).toBe(segments.slice(0, -1).reduce(childAddress, '/'))
    }),
  )
})

test('T16 an actor is within each of its supervisors and nothing of a like name', () => {
  fc.assert(
    fc.property(path, segment, (segments, other) => {
      const address = segments.reduce(childAddress, '/')
      for (let depth = 0; depth <= segments.length; depth++) {
        expect(isWithin(address, segments.slice(0, depth).reduce(childAddress, '/'))).toBe(true)
      }
      expect(isWithin(`${address}x`, address)).toBe(false)
      expect(isWithin(address, childAddress(address, other))).toBe(false)
    }),
  )
})

test('T16 no text beside paths of child ids is taken', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parts = text.split('/').slice(1)
      if (text.startsWith('/') && parts.every(isSegment)) return
      expect(refusal(() => parseAddress(text)).code).toBe('AMBIT_ADDRESS_INVALID')
    }),
  )
})
