import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The token without which the effect runner does not act: minted by the guard's step over exactly what was allowed,
 * so that not even a mistake in a machine can run an effect that nobody authorised.
 */
export interface Authorizer {
  mint(key: string, digest: string, by: string): string
  isValid(token: string, key: string, digest: string, by: string): boolean
}

/** Tokens of one system: the secret never leaves the process's memory and the journal's own folder. */
export function createAuthorizer(secret: string): Authorizer {
  const mint = (key: string, digest: string, by: string) =>
    createHmac('sha256', secret).update(`${key}\n${digest}\n${by}`).digest('hex')
  return {
    mint,
    isValid(token, key, digest, by) {
      const expected = Buffer.from(mint(key, digest, by))
      const given = Buffer.from(token)
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
