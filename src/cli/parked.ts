import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { isAddress } from '../kernel/address.ts'
import {
  parkedIn,
  parkedKey,
  refusedParked,
  type ParkedDecision,
  type ParkedMessage,
  type ParkedOrder,
  type ParkedOutcome,
} from '../kernel/parked.ts'
import { discardEnded, PARKED_LISTED_MAX, parkedOrder } from '../kernel/parking.ts'
import { withJournal } from './approvals.ts'
import { callApi, deskTime } from './connection.ts'
import { leaveInJournal, withSession } from './hand-in.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

interface Options {
  readonly journal: string
  readonly json?: boolean
}

interface SettleOptions extends Options {
  readonly by?: string
  readonly reason?: string
}

export async function listParked(options: Options): Promise<void> {
  const stored = await withJournal(options.journal, (journal) => journal.parked(PARKED_LISTED_MAX))
  const kept = stored.flatMap(({ address, key, value }) => parkedIn(address, [[key, value]]))
  const parked = kept.sort((a, b) => a.at - b.at)
  if (options.json === true) {
    print(JSON.stringify({ parked }))
    return
  }
  if (parked.length === 0) {
    print('No message is parked.')
    return
  }
  for (const each of parked) print(lineOf(each))
  print('\nOnce what failed is mended: `ambit parked retry ADDRESS ID`; else `discard` it.')
}

/** Through the API of the desk that runs, else in the journal: a retry then waits there for the next start. */
export async function settleParked(
  what: ParkedOrder['what'],
  address: string,
  id: string,
  options: SettleOptions,
): Promise<void> {
  if (!isAddress(address))
    throw usageError(`Expected an address such as /orders/refund, got "${address}".`)
  const decision = decisionFrom(options)
  const directory = resolve(options.journal)
  const body = { what, address, id, ...decision }
  const answer = await callApi(directory, 'POST', '/parked', body)
  if (answer !== undefined && answer.status !== 200 && answer.status !== 409)
    throw new CommandEnd(exitCodes.failed, `The desk refused: ${String(answer.body.error)}`)
  const outcome =
    answer === undefined
      ? await settleInJournal(options.journal, what, address, id, decision)
      : (answer.body as unknown as ParkedOutcome)
  if (outcome.status === 'refused') {
    const isMissing = outcome.reason === 'unknownMessage' || outcome.reason === 'unknownActor'
    throw new CommandEnd(isMissing ? exitCodes.missing : exitCodes.failed, outcome.message)
  }
  if (options.json === true) {
    print(JSON.stringify({ address, message: id, ...outcome }))
    return
  }
  print(`${address}: ${id} ${sentences[outcome.status]}`)
}

const sentences = {
  retried: 'is given to its actor again.',
  discarded: 'is discarded.',
  waiting: 'is to be retried; that waits in the journal and happens when the system starts.',
  waitingToBeDiscarded: 'is to be discarded; that happens when the system starts.',
} as const

type Waiting = { readonly status: 'waiting' | 'waitingToBeDiscarded' }

async function settleInJournal(
  journal: string,
  what: ParkedOrder['what'],
  address: string,
  id: string,
  decision: ParkedDecision,
): Promise<ParkedOutcome | Waiting> {
  const directory = resolve(journal)
  const isKnown = await withJournal(journal, (reader) => reader.rows(address).has(parkedKey(id)))
  if (!isKnown) return refusedParked('unknownMessage', address, id)
  return withSession(directory, async (session) => {
    const { status } = (await session.load(address)) ?? {}
    if (status === 'active') {
      await leaveInJournal(session, address, parkedOrder(what, id, decision))
      return { status: what === 'retry' ? 'waiting' : 'waitingToBeDiscarded' }
    }
    if (what === 'retry') return refusedParked('stopped', address, id)
    return discardEnded(session, address, id, { ...decision, at: deskTime(directory) })
  })
}

function decisionFrom({ by = userInfo().username, reason }: SettleOptions): ParkedDecision {
  if (by === '' || by.length > 100)
    throw usageError(`--by: expected a name of 1-100 characters, got "${by.slice(0, 100)}".`)
  if (reason === '') throw usageError('--reason: expected a text, got nothing. Leave it out.')
  return { by, ...(reason !== undefined && { reason }) }
}

function lineOf({ address, id, type, at, error }: ParkedMessage): string {
  return `${new Date(at).toISOString()}  ${address}  ${type}  ${id}\n    ${error.message}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
