import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  generateApproverKey,
  keyIdOf,
  memory,
  signStatement,
  type ActorSystem,
  type Event,
  type Json,
  type SignedStatement,
  type Statement,
} from 'ambit'
import { canonical } from '../../src/envelope/envelope.ts'
import { readRecord } from '../../src/thought-log/record.ts'
import { refundSystem, World } from '../support/refund-world.ts'
import { LIMIT_MS, runs, Tally, TIMES } from './support/campaign.ts'
import { hostileJson, isPrototypeClean } from './support/hostile-values.ts'
import { mutate, mutation } from './support/mutations.ts'

const tally = new Tally('statements')
const REPLAYS = 1000

const journal = memory()
const world = new World()
const options = { amount: '700.00 USD', journal }
const alice = generateApproverKey()
const bob = generateApproverKey()
const stranger = generateApproverKey()
let system: ActorSystem
let exact: SignedStatement
let logged = 0

beforeAll(async () => {
  system = refundSystem(world, options)
  await system.start()
  await system.atRest()
  for (const [person, { publicKey }] of Object.entries({ alice, bob }))
    await system.addApprover(keyIdOf(publicKey), { person, roles: ['finance'], publicKey })
  exact = signStatement(statementOf(), alice.privateKey)
})

afterAll(() => system.stop())

function statementOf(): Statement {
  const [open] = system.cases()
  return {
    v: 1,
    system: system.id,
    case: 'c-1',
    digest: open?.digest ?? '',
    verdict: 'approve',
    person: 'alice',
    at: 1,
    nonce: 'n-0123456789abcdef',
  }
}

/** Another spelling of the same bytes, or other bytes. */
const spellings: readonly ((signature: string) => string)[] = [
  (text) => text.replace(/=+$/, ''),
  (text) => `${text}=`,
  (text) => `${text}\n`,
  (text) => ` ${text}`,
  (text) => `${text}!`,
  (text) => `${text.slice(0, 10)}\u0000${text.slice(10)}`,
  (text) => text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '_'),
  (text) => Buffer.from(text, 'base64').toString('hex'),
  (text) => `${text}${text}`,
  (text) => Buffer.from(text, 'base64').reverse().toString('base64'),
  () => Buffer.alloc(64).toString('base64'),
  () => '',
]

/** Flips one bit of the signature. */
const flipped = fc.nat(511).map((bit) => () => {
  const bytes = Buffer.from(exact.signature, 'base64')
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return { ...exact, signature: bytes.toString('base64') }
})

const forgery: fc.Arbitrary<() => unknown> = fc.oneof(
  fc
    .array(mutation, { minLength: 1, maxLength: 3 })
    .map((mutations) => () => mutate(exact, mutations).value),
  fc
    .array(mutation, { minLength: 1, maxLength: 2 })
    .map((mutations) => () => ({ ...exact, statement: mutate(exact.statement, mutations).value })),
  flipped,
  fc
    .constantFrom(...spellings)
    .map((spell) => () => ({ ...exact, signature: spell(exact.signature) })),
  fc.constantFrom(bob, stranger).map(
    ({ privateKey }) =>
      () =>
        signStatement(exact.statement, privateKey),
  ),
  fc
    .constantFrom(bob, stranger)
    .map(({ publicKey }) => () => ({ ...exact, keyId: keyIdOf(publicKey) })),
  fc.constantFrom(bob, stranger).map(({ privateKey }) => () => ({
    ...signStatement(exact.statement, privateKey),
    keyId: exact.keyId,
  })),
  hostileJson.map((value) => () => value),
  hostileJson.map((args) => () => ({ ...exact, statement: { ...exact.statement, args } })),
)

async function hand(given: unknown): Promise<Event> {
  tally.given()
  const answer = await system.submitDecision(given as SignedStatement)
  const isAccepted = answer.type === 'ambit.approval.accepted'
  if (!isAccepted) {
    expect(answer.type).toBe('ambit.approval.refused')
    expect(answer.reason).toMatch(/^[a-zA-Z]+$/)
    expect(answer.message).toMatch(/./)
    // What is no statement at all does not reach the desk, and so not its log.
    if (answer.reason !== 'malformed') logged++
  }
  tally.settle(isAccepted)
  return answer
}

async function thoughtsOf(kind: string): Promise<number> {
  let count = 0
  for (let afterPosition = 0; ;) {
    const page = await system.history({ address: '/system/approvals', afterPosition })
    for (const turn of page)
      count += readRecord(turn)?.thoughts.filter((thought) => thought.kind === kind).length ?? 0
    const last = page.at(-1)
    if (last === undefined) return count
    afterPosition = last.position
  }
}

test(
  'Y5 no statement but the exact signed one counts: each other is refused with a reason and logged',
  async () => {
    const same = canonical(exact as unknown as Json)
    const property = fc.asyncProperty(forgery, async (forge) => {
      const forged = forge() as SignedStatement
      fc.pre(JSON.stringify(forged) !== JSON.stringify(exact) && textOf(forged) !== same)
      const { type } = await hand(forged)
      expect(type).toBe('ambit.approval.refused')
      expect(isPrototypeClean()).toBe(true)
    })
    await fc.assert(property, runs(2000))
    expect(system.cases()).toMatchObject([{ status: 'open', votes: [] }])
    expect(world.refunds).toBe(0)
    expect(await thoughtsOf('humanRefused')).toBe(logged)
    expect(system.alarms).toEqual([])
  },
  LIMIT_MS,
)

test(
  'Y6 a signed statement handed in a thousand times at once, and again after a restart, counts once',
  async () => {
    const replay = () => Promise.all(Array.from({ length: REPLAYS }, () => hand(exact)))
    const first = await replay()
    expect(first.filter(({ type }) => type === 'ambit.approval.accepted')).toHaveLength(1)
    await system.atRest()
    await system.stop()
    system = refundSystem(world, options)
    await system.start()
    for (let round = 1; round < Math.max(2, TIMES); round++) {
      const again = await replay()
      expect(new Set(again.map(({ reason }) => reason))).toEqual(new Set(['usedBefore']))
    }
    await system.atRest()
    expect(await thoughtsOf('humanDecision')).toBe(1)
    expect(await thoughtsOf('humanRefused')).toBe(logged)
    expect(world.refunds).toBe(1)
  },
  LIMIT_MS,
)

/** The canonical text, or one that nothing has. */
function textOf(value: unknown): string {
  try {
    return canonical(value as Json)
  } catch {
    return ''
  }
}
