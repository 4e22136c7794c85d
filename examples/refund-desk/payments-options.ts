import { parseArgs } from 'node:util'
import type { PaymentsOptions } from './payments-server.ts'

/** The options that a command line asks for, or what is wrong with it. */
export type ReadOptions =
  | { readonly ok: true; readonly options: PaymentsOptions }
  | { readonly ok: false; readonly message: string }

const usage =
  'Usage: payments-main --port N --data FILE [--fail PERCENT --seed N] [--delay MS] [--no-idempotency]'

/** Reads the command line of the payments server. Pure. */
export function readPaymentsOptions(args: readonly string[]): ReadOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        fail: { type: 'string', default: '0' },
        seed: { type: 'string', default: '1' },
        delay: { type: 'string', default: '0' },
        'no-idempotency': { type: 'boolean', default: false },
      },
    })
    if (values.data === undefined || values.data === '')
      throw new Error('Expected --data FILE, got none.')
    const options: PaymentsOptions = {
      port: readWhole('--port', values.port, 65_535),
      dataFile: values.data,
      failPercent: readPercent(values.fail),
      seed: readWhole('--seed', values.seed, 2 ** 31 - 1),
      delayMs: readWhole('--delay', values.delay, 600_000),
      idempotency: !values['no-idempotency'],
    }
    return { ok: true, options }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ok: false, message: `${message}\n${usage}` }
  }
}

function readWhole(name: string, text: string | undefined, max: number): number {
  const value = Number(text)
  if (text !== undefined && /^\d{1,10}$/.test(text) && value <= max) return value
  throw new Error(`Expected ${name} as a whole number from 0 to ${max}, got ${text ?? 'none'}.`)
}

function readPercent(text: string): number {
  const value = Number(text)
  if (/^\d{1,3}(\.\d+)?$/.test(text) && value <= 100) return value
  throw new Error(`Expected --fail as a percentage from 0 to 100, got ${text}.`)
}
