import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  AmbitError,
  generateApproverKey,
  keyIdOf,
  signStatement,
  sqlite,
  type ActorSystem,
} from 'ambit'
import { keepHead, refuseCutLog } from '../../src/cli/heads.ts'
import { verifyLog } from '../../src/cli/log.ts'
import { CommandEnd } from '../../src/cli/usage.ts'
import { temporaryFolder } from '../support/desk-process.ts'
import { ledgerOf, refundSystem, World } from '../support/refund-world.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import { damage, edits, type Damage } from './support/journal-damage.ts'

const tally = new Tally('journal')
const START_MS_MAX = 20_000
const options = { amount: '700.00 USD', secondAmount: '40.00 USD', agents: 2 } as const

const root = temporaryFolder()
/** As it lies after a stop, and as a kill leaves it: with a write-ahead log. */
const [closed, killed] = [join(root, 'closed'), join(root, 'killed')]
let expected: State
let trial = 0

beforeAll(async () => {
  const system = openIn(closed)
  await system.start()
  await system.atRest()
  const { privateKey, publicKey } = generateApproverKey()
  await system.addApprover(keyIdOf(publicKey), { person: 'alice', roles: ['*'], publicKey })
  const [open] = system.cases()
  await system.submitDecision(
    signStatement(
      {
        v: 1,
        system: system.id,
        case: open?.id ?? '',
        digest: open?.digest ?? '',
        verdict: 'approve',
        person: 'alice',
        at: 1,
        nonce: 'n-0123456789abcdef',
      },
      privateKey,
    ),
  )
  await system.atRest()
  await keepHead(closed, system)
  cpSync(closed, killed, { recursive: true })
  expected = await stateOf(system)
  await system.stop()
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

function openIn(folder: string): ActorSystem {
  return refundSystem(new World(), { ...options, journal: sqlite(folder) })
}

/** What an observer can know of a system: its log, its cases, its budget and its agents. */
interface State {
  readonly log: readonly string[]
  readonly rest: unknown
}

async function stateOf(system: ActorSystem): Promise<State> {
  const log: string[] = []
  for (let afterPosition = 0; ;) {
    const page = await system.history({ afterPosition })
    log.push(
      ...page.map(
        ({ position, hash, address, record }) => `${position} ${hash} ${address} ${record}`,
      ),
    )
    const last = page.at(-1)
    if (last === undefined) break
    afterPosition = last.position
  }
  const valueOf = (address: string) =>
    (system.ref(address).getSnapshot() as { value: unknown }).value
  const desks = ['/desk', '/desk-2'].map(valueOf)
  return { log, rest: { cases: system.cases(), ledger: ledgerOf(system), desks, id: system.id } }
}

type Verified = 'holds' | 'broken' | 'refused'

/** What `ambit log verify` says. */
async function verify(folder: string): Promise<Verified> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await verifyLog({ journal: folder, json: true })
    return 'holds'
  } catch (error) {
    if (error instanceof CommandEnd) return error.exitCode === 1 ? 'broken' : 'refused'
    if (error instanceof AmbitError) return 'refused'
    throw error
  } finally {
    write.mockRestore()
  }
}

/** The system as it comes up, or the code of the refusal. */
async function start(folder: string): Promise<State | string> {
  const system = openIn(folder)
  const late = AbortSignal.timeout(START_MS_MAX)
  const hangs = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => reject(new Error(`hangs for ${START_MS_MAX} ms`)))
  })
  hangs.catch(() => undefined)
  try {
    // As `ambit run` does it.
    await refuseCutLog(folder)
    await Promise.race([system.start(), hangs])
    await Promise.race([system.atRest(), hangs])
    return await stateOf(system)
  } catch (error) {
    if (error instanceof AmbitError) return error.code
    throw error
  } finally {
    await system.stop()
  }
}

interface Outcome {
  readonly verified: Verified
  readonly started: 'whole' | 'silently other' | 'known to be broken' | 'refused'
}

async function suffer(original: string, damages: readonly Damage[]): Promise<Outcome> {
  const folder = join(root, `trial-${++trial}`)
  mkdirSync(folder)
  cpSync(original, folder, { recursive: true })
  try {
    for (const { apply } of damages) apply(folder)
    const verified = await verify(folder)
    const found = await start(folder)
    if (typeof found === 'string') return { verified, started: 'refused' }
    // What the chain proves is there, or the chain says that it is not.
    const logIsWhole = expected.log.every((line, i) => found.log[i] === line)
    if (!logIsWhole) expect(verified).not.toBe('holds')
    if (verified !== 'holds') return { verified, started: 'known to be broken' }
    const isSame = JSON.stringify(found.rest) === JSON.stringify(expected.rest)
    return { verified, started: isSame ? 'whole' : 'silently other' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('Y9 an undamaged journal, closed or killed, comes up as it was', async () => {
  for (const folder of [closed, killed])
    expect(await suffer(folder, [])).toEqual({ verified: 'holds', started: 'whole' })
})

test.each(edits)(
  'Y10 a journal after `$name` is whole, refused by name, or known to be broken',
  async (edit) => {
    tally.given()
    const outcome = await suffer(closed, [edit])
    expect(outcome.started).not.toBe('silently other')
    tally.settle(outcome.started !== 'refused')
  },
)

test(
  'Y10 a damaged journal is whole, refused by name, or known to be broken: nobody hangs',
  async () => {
    const counts: Record<string, number> = {}
    const property = fc.asyncProperty(
      fc.constantFrom(closed, killed),
      fc.array(damage, { minLength: 1, maxLength: 2 }),
      async (original, damages) => {
        tally.given()
        const { verified, started } = await suffer(original, damages)
        const name = `${started}, log ${verified}`
        counts[name] = (counts[name] ?? 0) + 1
        tally.settle(started !== 'refused')
      },
    )
    await fc.assert(property, runs(200))
    tally.add(
      Object.entries(counts)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    )
  },
  LIMIT_MS,
)
