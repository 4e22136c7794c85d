import { resolve } from 'node:path'
import { isAddress } from '../kernel/address.ts'
import { KERNEL } from '../kernel/own-rows.ts'
import { suspendedIn, type Suspension } from '../kernel/suspensions.ts'
import { withJournal } from './approvals.ts'
import { callApi } from './connection.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

interface Options {
  readonly journal: string
  readonly json?: boolean
}

interface ResumeOptions extends Options {
  readonly by: string
  readonly why: string
}

export async function listSuspended(options: Options): Promise<void> {
  const suspended = await withJournal(options.journal, (journal) =>
    suspendedIn(journal.rows(KERNEL)),
  )
  if (options.json === true) {
    print(JSON.stringify({ suspended }))
    return
  }
  if (suspended.length === 0) {
    print('No authority is suspended.')
    return
  }
  for (const each of suspended) print(lineOf(each))
  print('\nOnce it is understood: `ambit suspended resume ADDRESS --by WHO --why TEXT`.')
}

/** Through the API of the desk that runs: what waited begins there, so that without one there is nothing to resume. */
export async function resumeSuspended(address: string, options: ResumeOptions): Promise<void> {
  const { by, why } = checked(address, options)
  const answer = await callApi(resolve(options.journal), 'POST', '/suspended', { address, by, why })
  if (answer === undefined) {
    await refuseUnknown(address, options.journal)
    const message = `Nothing runs on "${options.journal}". Start it with \`ambit run\`, then resume.`
    throw new CommandEnd(exitCodes.failed, message)
  }
  const { status, body } = answer
  if (status === 404) throw new CommandEnd(exitCodes.missing, String(body.error))
  if (status !== 200)
    throw new CommandEnd(exitCodes.failed, `The desk refused: ${String(body.error)}`)
  print(
    options.json === true
      ? JSON.stringify(body)
      : `${address} has its authority again; what waited begins.`,
  )
}

function checked(address: string, { by, why }: ResumeOptions): { by: string; why: string } {
  if (address !== '/' && !isAddress(address))
    throw usageError(`Expected the address of a supervisor such as /orders, got "${address}".`)
  if (by === '' || by.length > 100)
    throw usageError(`--by: expected a name of 1-100 characters, got "${by.slice(0, 100)}".`)
  if (why === '' || why.length > 10_000)
    throw usageError(`--why: expected a text of 1-10,000 characters, got ${why.length}.`)
  return { by, why }
}

async function refuseUnknown(address: string, journal: string): Promise<void> {
  const suspended = await withJournal(journal, (reader) => suspendedIn(reader.rows(KERNEL)))
  if (suspended.some((each) => each.address === address)) return
  throw new CommandEnd(exitCodes.missing, notSuspended(address, suspended))
}

/** What is said of an address that nobody suspended. */
export function notSuspended(address: string, suspended: readonly Suspension[]): string {
  const which = suspended.map((each) => each.address).slice(0, 10)
  const expected = which.length === 0 ? 'nothing is suspended' : `one of ${which.join(', ')}`
  return `Expected a suspended address (${expected}), got "${address}". See \`ambit suspended list\`.`
}

function lineOf({ address, since, error }: Suspension): string {
  return `${new Date(since).toISOString()}  ${address}\n    ${error.message}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
