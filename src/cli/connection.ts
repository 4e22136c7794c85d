import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const API_FILE = 'api.json'
const CLOCK_FILE = 'clock.json'

/** Where a running desk answers, and the token it wants. Left in the journal's folder, readable by its owner alone. */
export interface ApiAddress {
  readonly url: string
  readonly token: string
  readonly pid: number
}

export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

export function leaveAddress(directory: string, address: ApiAddress): void {
  const file = join(directory, API_FILE)
  // Made with the right mode before the token is in it; an old file keeps its mode, so it is set again.
  writeFileSync(file, '', { mode: 0o600 })
  chmodSync(file, 0o600)
  writeFileSync(file, `${JSON.stringify(address)}\n`)
}

export function removeAddress(directory: string): void {
  rmSync(join(directory, API_FILE), { force: true })
}

/** Notes how far the desk's clock is from this machine's, so that a decision is signed by the desk's time. */
export function leaveClock(directory: string, offsetMs: number): void {
  writeFileSync(join(directory, CLOCK_FILE), JSON.stringify({ offsetMs }), { mode: 0o600 })
}

export function deskTime(directory: string): number {
  try {
    const { offsetMs } = JSON.parse(readFileSync(join(directory, CLOCK_FILE), 'utf8')) as {
      offsetMs: number
    }
    return Math.round(Date.now() + offsetMs)
  } catch {
    return Date.now()
  }
}

export interface ApiAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export const API_TIMEOUT_MS = 15_000

/** Calls the desk that runs on this journal; undefined when none does. */
export async function callApi(
  directory: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<ApiAnswer | undefined> {
  const address = readAddress(directory)
  if (address === undefined) return undefined
  try {
    const response = await fetch(new URL(path, address.url), {
      method,
      headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(API_TIMEOUT_MS),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  } catch (error) {
    // The file outlives a desk that was killed: no answer at that address means that none runs.
    if (isRefused(error)) return undefined
    throw error
  }
}

function readAddress(directory: string): ApiAddress | undefined {
  const file = join(directory, API_FILE)
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ApiAddress
  } catch {
    return undefined
  }
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'ECONNRESET'
}
