import { resolve } from 'node:path'
import type { JournalReader } from '../embedded/sqlite-reader.ts'
import { HISTORY_PAGE_MAX, type Head, type StoredTurn } from '../kernel/ports/journal.ts'
import { ChainCheck, describeFault } from '../thought-log/chain.ts'
import { describeExplanation, describeThought, explainAction } from '../thought-log/explain.ts'
import { readRecord } from '../thought-log/record.ts'
import { requireCase, withJournal } from './approvals.ts'
import { readHeads } from './heads.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

interface Options {
  readonly journal: string
  readonly json?: boolean
}

export async function showLog(
  options: Options & { readonly actor?: string; readonly last: string },
): Promise<void> {
  const last = Number(options.last)
  if (!/^\d{1,6}$/.test(options.last) || last < 1)
    throw usageError(`--last: expected a number from 1 to 999999, got "${options.last}".`)
  const records = await withJournal(options.journal, (journal) => {
    const under = options.actor === undefined ? {} : { under: options.actor }
    return lastTurns(journal, under, last).flatMap((turn) => readRecord(turn) ?? [])
  })
  if (options.json === true) {
    print(JSON.stringify({ records }))
    return
  }
  for (const { position, actor, at, message, disposition, thoughts } of records) {
    const what = disposition === 'processed' ? message.type : `${message.type} (${disposition})`
    print(`${String(position).padStart(7)}  ${new Date(at).toISOString()}  ${actor}  ${what}`)
    for (const thought of thoughts) print(`           ${describeThought(thought)}`)
  }
}

/** Checks the whole chain and every head known. Exit code 1 when something is wrong. */
export async function verifyLog(options: Options & { readonly head?: string }): Promise<void> {
  const given = options.head === undefined ? [] : [readHead(options.head)]
  const heads = [...readHeads(resolve(options.journal)), ...given]
  const verdict = await withJournal(options.journal, (journal) => {
    const check = new ChainCheck(heads)
    for (const page of pages(journal)) check.add(page)
    return check.finish()
  })
  const known = heads.length
  if (options.json === true) print(JSON.stringify({ ...verdict, headsChecked: known }))
  if (!verdict.ok)
    throw new CommandEnd(
      exitCodes.failed,
      options.json === true ? '' : `BROKEN: ${describeFault(verdict.fault)}`,
    )
  if (options.json === true) return
  print(
    `The log holds: ${verdict.head.position} records in one unbroken chain, ${known} kept heads met.`,
  )
}

export async function showHead(options: Options): Promise<void> {
  const head = await withJournal(options.journal, (journal) => journal.head())
  print(options.json === true ? JSON.stringify(head) : `${head.position}:${head.hash}`)
}

/** Tells the story of one action: by its case, or by its key. */
export async function explainCase(id: string, options: Options): Promise<void> {
  const explanation = await withJournal(options.journal, (journal) => {
    const key = /^[0-9a-f]{32}$/.test(id) ? id : requireCase(journal, id).key
    const turns: StoredTurn[] = []
    for (const under of [`/system/actions/${key}`, '/system/approvals', '/system/ledger']) {
      for (const page of pages(journal, { under }))
        turns.push(...page.filter(({ record }) => record.includes(key)))
    }
    return explainAction(
      key,
      turns.sort((a, b) => a.position - b.position),
    )
  })
  if (explanation.steps.length === 0)
    throw new CommandEnd(exitCodes.missing, `The log says nothing about "${id}".`)
  print(options.json === true ? JSON.stringify(explanation) : describeExplanation(explanation))
}

function* pages(
  journal: JournalReader,
  query: { readonly under?: string } = {},
): Generator<readonly StoredTurn[]> {
  for (let afterPosition = 0; ;) {
    const page = journal.history({ ...query, afterPosition, limit: HISTORY_PAGE_MAX })
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (last === undefined || page.length < HISTORY_PAGE_MAX) return
    afterPosition = last.position
  }
}

function lastTurns(
  journal: JournalReader,
  query: { readonly under?: string },
  count: number,
): StoredTurn[] {
  if (query.under === undefined) {
    return [
      ...journal.history({
        afterPosition: Math.max(0, journal.head().position - count),
        limit: count,
      }),
    ]
  }
  let kept: StoredTurn[] = []
  for (const page of pages(journal, query)) kept = [...kept, ...page].slice(-count)
  return kept
}

function readHead(text: string): Head {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (match === null)
    throw usageError(
      `--head: expected POSITION:HASH as \`ambit log head\` prints it, got "${text.slice(0, 100)}".`,
    )
  return { position: Number(match[1]), hash: match[2] ?? '' }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
