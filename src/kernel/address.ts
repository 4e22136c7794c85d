import { AmbitError } from './errors.ts'

/** Where an actor lives: `/orders/refund`. Each segment is a child id. */
export type Address = string

const SEGMENT = /^[A-Za-z0-9._~:@#=+-]{1,200}$/
export const ADDRESS_DEPTH_MAX = 16

/** Whether a string may be a child id: 1-200 letters, digits and `._~:@#=+-`, never `.` or `..`. */
export function isSegment(id: string): boolean {
  return SEGMENT.test(id) && id !== '.' && id !== '..'
}

export function isAddress(text: string): boolean {
  const segments = text.split('/').slice(1)
  return text.startsWith('/') && segments.length <= ADDRESS_DEPTH_MAX && segments.every(isSegment)
}

/** Returns the address when it is one, and throws `AMBIT_ADDRESS_INVALID` otherwise. */
export function parseAddress(text: string): Address {
  if (!isAddress(text)) {
    throw new AmbitError(
      'AMBIT_ADDRESS_INVALID',
      `Expected an address such as "/orders/refund", got "${text.slice(0, 200)}". ` +
        'Use letters, digits and ._~:@#=+- between slashes.',
    )
  }
  return text
}

export function childAddress(parent: Address, id: string): Address {
  return parent === '/' ? `/${id}` : `${parent}/${id}`
}

/** The address of the supervisor above; the root is its own parent. */
export function parentAddress(address: Address): Address {
  const cut = address.lastIndexOf('/')
  return cut <= 0 ? '/' : address.slice(0, cut)
}

/** The last segment: the child id under its supervisor. */
export function childId(address: Address): string {
  return address.slice(address.lastIndexOf('/') + 1)
}

export function isWithin(address: Address, ancestor: Address): boolean {
  return ancestor === '/' || address === ancestor || address.startsWith(`${ancestor}/`)
}
