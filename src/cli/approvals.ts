import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { judgeStatement } from '../../machines/approval-rules.ts'
import type { Case } from '../../machines/approval.ts'
import { APPROVALS } from '../../machines/action-steps.ts'
import { casesIn } from '../../actors/cases.ts'
import { openSqliteReader, type JournalReader } from '../embedded/sqlite-reader.ts'
import { formatMoney } from '../envelope/money.ts'
import {
  signStatement,
  type Approver,
  type SignedStatement,
  type Statement,
  type Verdict,
} from '../envelope/statement.ts'
import type { Json } from '../kernel/json.ts'
import { deskTime } from './connection.ts'
import { handIn } from './hand-in.ts'
import { readKey } from './keygen.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

interface Options {
  readonly journal: string
  readonly json?: boolean
}

interface VerdictOptions extends Options {
  readonly as?: string
  readonly reason?: string
  readonly args?: string
  readonly happened?: boolean
  readonly notHappened?: boolean
}

export async function listCases(options: Options & { readonly all?: boolean }): Promise<void> {
  const cases = await withJournal(options.journal, (journal) => casesIn(journal.rows(APPROVALS)))
  const shown = options.all === true ? cases : cases.filter(({ status }) => status === 'open')
  if (options.json === true) {
    print(JSON.stringify({ cases: shown }))
    return
  }
  if (shown.length === 0) {
    print('No case waits for a human.')
    return
  }
  for (const each of shown) print(lineOf(each))
  print('\nSee one with `ambit approvals show CASE`, decide with approve, reject, amend or settle.')
}

export async function showCase(id: string, options: Options): Promise<void> {
  const found = await withJournal(options.journal, (journal) => requireCase(journal, id))
  if (options.json === true) {
    print(JSON.stringify(found))
    return
  }
  const { proposal, results, route, votes } = found
  print(lineOf(found))
  print(`  why (claimed)  ${proposal.why}`)
  print(`  proposed by    ${proposal.proposer}`)
  print(`  arguments      ${JSON.stringify(proposal.args)}`)
  for (const { rule, severity, seen, limit, envelope } of results) {
    if (severity !== 'allow')
      print(`  rule           ${rule}: ${seen}, limit ${limit} (envelope ${envelope})`)
  }
  print(`  decides        ${route.quorum} of ${route.by.join(', ')}${untilWhen(found)}`)
  for (const vote of votes)
    print(
      `  ${vote.verdict.padEnd(14)} ${vote.person}${vote.reason === undefined ? '' : `: ${vote.reason}`}`,
    )
  print(`  digest         ${found.digest}`)
}

/** Signs a decision on exactly what the case shows now, and hands it in. */
export async function decideCase(
  id: string,
  verdict: Verdict,
  options: VerdictOptions,
): Promise<void> {
  const directory = resolve(options.journal)
  const { found, approvers, system } = await withJournal(options.journal, (journal) => ({
    found: requireCase(journal, id),
    approvers: approversIn(journal.rows(APPROVALS)),
    system: journal.systemId,
  }))
  const { person, privateKey } = readKey(directory, options.as)
  const statement: Statement = {
    v: 1,
    system,
    case: id,
    digest: found.digest,
    verdict,
    person,
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(verdict === 'amend' && {
      args: amendedArgs(found, options.args ?? '{}') as Statement['args'],
    }),
    ...(verdict === 'settle' && { happened: readHappened(options) }),
    at: deskTime(directory),
    nonce: randomBytes(18).toString('base64url'),
  }
  const signed = signStatement(statement, privateKey)
  refuseEarly(signed, found, approvers.get(signed.keyId), system)
  const handed = await handIn(directory, '/decisions', signed, {
    type: 'ambit.approval.submit',
    signed,
  })
  if (handed.by === 'desk' && handed.status !== 200) {
    throw new CommandEnd(
      exitCodes.failed,
      `Refused: ${String(handed.body.message ?? handed.body.error)}`,
    )
  }
  tellHandedIn(found, verdict, person, handed, options)
}

function tellHandedIn(
  found: Case,
  verdict: Verdict,
  person: string,
  handed: Awaited<ReturnType<typeof handIn>>,
  options: Options,
): void {
  const status = handed.by === 'desk' ? handed.body.status : 'waiting'
  const needed = handed.by === 'desk' ? Number(handed.body.needed ?? 0) : 0
  if (options.json === true)
    return print(
      JSON.stringify({ case: found.id, verdict, person, taken: handed.by, status, needed }),
    )
  if (handed.by === 'journal') {
    return print(
      `${found.id}: ${verdict} by ${person} is signed and waits in the journal; it counts when the desk starts again.`,
    )
  }
  const more = needed > 0 ? ` ${needed} more must approve.` : ''
  print(`${found.id}: ${verdict} by ${person} counts; the case is ${String(status)}.${more}`)
}

/** With no desk to answer, the CLI judges by the journal, so that a hopeless decision is not left there. */
function refuseEarly(
  signed: SignedStatement,
  found: Case,
  approver: Approver | undefined,
  systemId: string,
): void {
  // A key registered while no desk ran waits in the journal too, before this decision.
  if (approver === undefined) return
  const judged = judgeStatement({
    signed,
    found,
    approver,
    used: false,
    systemId,
    takenAt: signed.statement.at,
  })
  if (judged.status === 'refused')
    throw new CommandEnd(exitCodes.failed, `Refused: ${judged.message}`)
}

function amendedArgs(found: Case, text: string): Json {
  try {
    const changes = JSON.parse(text) as unknown
    if (typeof changes === 'object' && changes !== null && !Array.isArray(changes)) {
      return {
        ...(found.proposal.given as Record<string, Json>),
        ...(changes as Record<string, Json>),
      }
    }
  } catch {
    // Falls through to the one message for everything that is no object.
  }
  throw usageError(
    `--args: expected a JSON object such as '{"amount":"400.00 USD"}', got "${text.slice(0, 80)}".`,
  )
}

function readHappened({ happened, notHappened }: VerdictOptions): boolean {
  if ((happened === true) !== (notHappened === true)) return happened === true
  throw usageError('Say what became of it: --happened or --not-happened.')
}

async function withJournal<T>(folder: string, use: (journal: JournalReader) => T): Promise<T> {
  const journal = await openSqliteReader(resolve(folder))
  if (journal === undefined) {
    throw new CommandEnd(
      exitCodes.missing,
      `There is no journal in "${folder}". Say where with --journal, or run a desk first.`,
    )
  }
  try {
    return use(journal)
  } finally {
    journal.close()
  }
}

function requireCase(journal: JournalReader, id: string): Case {
  const found = casesIn(journal.rows(APPROVALS)).find((each) => each.id === id)
  if (found !== undefined) return found
  throw new CommandEnd(
    exitCodes.missing,
    `There is no case "${id}". See \`ambit approvals list --all\`.`,
  )
}

function approversIn(rows: ReadonlyMap<string, Json>): Map<string, Approver> {
  const approvers = [...rows].filter(([key]) => key.startsWith('approver:'))
  return new Map(
    approvers.map(([key, value]) => [key.slice('approver:'.length), value as unknown as Approver]),
  )
}

function lineOf({ id, kind, status, proposal, rules, key }: Case): string {
  const what =
    proposal.amount === undefined
      ? proposal.action
      : `${proposal.action} ${formatMoney(proposal.amount)}`
  const because = kind === 'inDoubt' ? 'in doubt' : rules.join(', ')
  return `${id.padEnd(7)} ${status.padEnd(9)} ${what.padEnd(28)} ${because.padEnd(24)} ${key.slice(0, 12)}`
}

function untilWhen({ expiresAt }: Case): string {
  return expiresAt === null ? '' : ` by ${new Date(expiresAt).toISOString()}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export { withJournal, requireCase }
