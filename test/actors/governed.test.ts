import { memory, type Event, type Json } from 'ambit'
import { expect, test } from 'vitest'
import { createManualClock } from '../support/manual-clock.ts'
import { approver, envelopeInput, ledgerOf, refundSystem, World } from '../support/refund-world.ts'

const overLimit = { amount: '720.00 USD' }

test('A1 a refund over its envelope waits for a human and happens once when approved', async () => {
  const world = new World()
  const system = refundSystem(world, overLimit)
  await system.start()
  await system.atRest()
  expect(world.refunds).toBe(0)
  expect(system.cases()).toMatchObject([{ id: 'c-1', status: 'open', rules: ['perAction'] }])
  const alice = await approver(system, 'alice')
  expect(await alice('c-1', 'approve')).toMatchObject({
    type: 'ambit.approval.accepted',
    status: 'approved',
  })
  await system.atRest()
  expect(world.made.length).toBe(1)
  expect(system.read.actors.get('/desk')?.get().state).toBe('refunded')
  await system.stop()
})

test('A1 a case survives a restart of the system and can be decided afterwards', async () => {
  const [world, journal] = [new World(), memory()]
  const first = refundSystem(world, { ...overLimit, journal })
  await first.start()
  await first.atRest()
  await first.stop()
  const second = refundSystem(world, { ...overLimit, journal })
  await second.start()
  const alice = await approver(second, 'alice')
  await alice('c-1', 'approve')
  await second.atRest()
  expect(world.made.length).toBe(1)
  await second.stop()
})

test('E13 a case keeps the envelope it was opened under when a new version is put in force', async () => {
  const [world, journal] = [new World(), memory()]
  const first = refundSystem(world, { ...overLimit, journal })
  await first.start()
  await first.atRest()
  await first.stop()
  const wider = { version: 2, actions: { refund: { atMost: { amount: '900.00 USD' } } } }
  const second = refundSystem(world, { ...overLimit, journal, envelope: wider })
  await second.start()
  await second.atRest()
  expect(statusesOf(second)).toEqual(['open'])
  const alice = await approver(second, 'alice')
  await alice('c-1', 'reject')
  await second.atRest()
  expect(world.refunds).toBe(0)
  await second.stop()
})

function statusesOf(system: ReturnType<typeof refundSystem>): string[] {
  return system.cases().map(({ status }) => status)
}

test('L4 what a human approved is charged to the approver, not to the window of the agent', async () => {
  const system = refundSystem(new World(), overLimit)
  await system.start()
  await system.atRest()
  const alice = await approver(system, 'alice')
  await alice('c-1', 'approve')
  await system.atRest()
  expect(ledgerOf(system)).toEqual({ statuses: ['committed'], sums: [] })
  await system.stop()
})

test('L5 a pending approval holds no budget', async () => {
  const system = refundSystem(new World(), overLimit)
  await system.start()
  await system.atRest()
  expect(ledgerOf(system)).toEqual({ statuses: [], sums: [] })
  await system.stop()
})

test('A7 an unknown outcome of an idempotent action is tried again with the same key', async () => {
  const world = new World()
  let lost = 2
  world.onExecute = () => {
    if (lost-- > 0) throw new Error('no answer')
  }
  const system = refundSystem(world)
  await system.start()
  await system.atRest({ timersWithinMs: 10_000 })
  expect(world.refunds).toBe(1)
  expect(await outcomes(system)).toEqual([['committed', 3]])
  await system.stop()
})

test('A7 an unknown outcome of another action is in doubt, stays charged and goes to a human', async () => {
  const world = new World()
  world.onExecute = () => {
    throw new Error('no answer')
  }
  const system = refundSystem(world, { idempotent: false })
  await system.start()
  await system.atRest({ timersWithinMs: 10_000 })
  expect(system.cases()).toMatchObject([{ kind: 'inDoubt', status: 'open' }])
  expect(ledgerOf(system)).toEqual({ statuses: ['inDoubt'], sums: [10_000] })
  await system.stop()
})

test.each([
  { happened: true, state: 'refunded', status: 'committed', sum: 10_000 },
  { happened: false, state: 'declined', status: 'released', sum: 0 },
])(
  'A15 a case in doubt is settled by a person: happened $happened',
  async ({ happened, state, status, sum }) => {
    const world = new World()
    world.onExecute = () => {
      throw new Error('no answer')
    }
    const system = refundSystem(world, { idempotent: false })
    await system.start()
    await system.atRest()
    const alice = await approver(system, 'alice')
    expect(await alice('c-1', 'approve')).toMatchObject({
      type: 'ambit.approval.refused',
      reason: 'wrongVerdict',
    })
    expect(await alice('c-1', 'settle', { happened })).toMatchObject({
      type: 'ambit.approval.accepted',
    })
    await system.atRest()
    expect(system.read.actors.get('/desk')?.get().state).toBe(state)
    expect(ledgerOf(system)).toEqual({ statuses: [status], sums: [sum] })
    await system.stop()
  },
)

test('A9 two distinct persons must approve where the quorum is two', async () => {
  const world = new World()
  const approval = { by: ['finance'], quorum: 2 }
  const system = refundSystem(world, { ...overLimit, envelope: { approval } })
  await system.start()
  await system.atRest()
  const [alice, bob] = [await approver(system, 'alice'), await approver(system, 'bob')]
  expect(await alice('c-1', 'approve')).toMatchObject({ status: 'open', needed: 1 })
  expect(await alice('c-1', 'approve')).toMatchObject({
    type: 'ambit.approval.refused',
    reason: 'votedBefore',
  })
  await system.atRest()
  expect(world.refunds).toBe(0)
  expect(await bob('c-1', 'approve')).toMatchObject({ status: 'approved' })
  await system.atRest()
  expect(world.refunds).toBe(1)
  await system.stop()
})

test('A10 a case that nobody decides on ends rejected when it expires', async () => {
  const [world, clock] = [new World(), createManualClock()]
  const system = refundSystem(world, { ...overLimit, clock })
  await system.start()
  await settled(system)
  clock.advance(4 * 3_600_000 + 1)
  await settled(system)
  expect(system.cases()).toMatchObject([{ status: 'expired' }])
  expect(world.refunds).toBe(0)
  expect(system.read.actors.get('/desk')?.get().state).toBe('declined')
})

test('A11 an amendment within the envelope happens without another human', async () => {
  const world = new World()
  const system = refundSystem(world, overLimit)
  await system.start()
  await system.atRest()
  const alice = await approver(system, 'alice')
  await alice('c-1', 'amend', { args: { order: 'o-1', amount: '400.00 USD' } })
  await system.atRest()
  expect(world.made.length).toBe(1)
  expect(ledgerOf(system).sums).toEqual([40_000])
  await system.stop()
})

test('A11 an amendment over the envelope waits for someone other than who amended', async () => {
  const world = new World()
  const system = refundSystem(world, overLimit)
  await system.start()
  await system.atRest()
  const [alice, bob] = [await approver(system, 'alice'), await approver(system, 'bob')]
  await alice('c-1', 'amend', { args: { order: 'o-1', amount: '600.00 USD' } })
  await system.atRest()
  expect(system.cases().map(({ status }) => status)).toEqual(['amended', 'open'])
  expect(await alice('c-2', 'approve')).toMatchObject({ reason: 'excluded' })
  expect(await bob('c-2', 'approve')).toMatchObject({ status: 'approved' })
  await system.atRest()
  expect(world.made.length).toBe(1)
  await system.stop()
})

test('A11 an amendment that the action refuses opens the case again', async () => {
  const system = refundSystem(new World(), overLimit)
  await system.start()
  await system.atRest()
  const alice = await approver(system, 'alice')
  await alice('c-1', 'amend', { args: { order: 'o-1', amount: 'a lot' } })
  await system.atRest()
  expect(system.cases().map(({ status }) => status)).toEqual(['amended', 'open'])
  await system.stop()
})

test('A8 whoever runs the agent may not approve its proposal', async () => {
  const system = refundSystem(new World(), { ...overLimit, excluded: ['alice'] })
  await system.start()
  await system.atRest()
  const alice = await approver(system, 'alice')
  expect(await alice('c-1', 'approve')).toMatchObject({
    type: 'ambit.approval.refused',
    reason: 'excluded',
  })
  await system.stop()
})

test('A13 a refund that the target refused gives its reservation back', async () => {
  const world = new World()
  world.onExecute = () => {
    throw Object.assign(new Error('no such order'), { code: 'AMBIT_EFFECT_REFUSED' })
  }
  const system = refundSystem(world)
  await system.start()
  await system.atRest()
  expect(ledgerOf(system)).toEqual({ statuses: ['released'], sums: [0] })
  expect(await outcomes(system)).toEqual([['failed', 1]])
  await system.stop()
})

test('A7 a refusal after an unknown outcome proves nothing: it is in doubt and stays charged', async () => {
  const world = new World()
  world.onExecute = () => {
    const isFirst = world.asked++ === 0
    if (isFirst) throw new Error('no answer')
    throw Object.assign(new Error('already refunded'), { code: 'AMBIT_EFFECT_REFUSED' })
  }
  const system = refundSystem(world)
  await system.start()
  await system.atRest({ timersWithinMs: 10_000 })
  expect(world.asked).toBe(2)
  expect(system.cases()).toMatchObject([{ kind: 'inDoubt', status: 'open' }])
  expect(ledgerOf(system)).toEqual({ statuses: ['inDoubt'], sums: [10_000] })
  await system.stop()
})

test('A13 a refund that does not hold at the target is compensated', async () => {
  const world = new World()
  world.verifies = false
  const system = refundSystem(world, { verify: true })
  await system.start()
  await system.atRest()
  expect(world.undone.length).toBe(1)
  expect(ledgerOf(system)).toEqual({ statuses: ['released'], sums: [0] })
  expect(await outcomes(system)).toEqual([['compensated', 1]])
  await system.stop()
})

test('A14 what nobody knows cannot be approved, only amended', async () => {
  const world = new World()
  const system = refundSystem(world, { amount: 'unknown' })
  await system.start()
  await system.atRest()
  expect(system.cases()).toMatchObject([{ rules: ['missingFact'] }])
  const alice = await approver(system, 'alice')
  expect(await alice('c-1', 'approve')).toMatchObject({ reason: 'missingFacts' })
  await alice('c-1', 'amend', { args: { order: 'o-1', amount: '40.00 USD' } })
  await system.atRest()
  expect(world.refunds).toBe(1)
  await system.stop()
})

test('L2 a window that is full sends the next refund to a human, and the log shows why', async () => {
  const world = new World()
  const envelope = { actions: { refund: { windows: [{ amount: '50.00 USD', within: '1h' }] } } }
  const system = refundSystem(world, { envelope: { ...envelopeInput, ...envelope } })
  await system.start()
  await system.atRest()
  expect(system.cases()).toMatchObject([{ rules: ['window'] }])
  expect(world.refunds).toBe(0)
  await system.stop()
})

test('A4 two agents that propose the same thing get one effect and both its outcome', async () => {
  const world = new World()
  const system = refundSystem(world, { agents: 2 })
  await system.start()
  await system.atRest()
  const states = [...system.read.actors.values()].map((atom) => atom.get())
  const desks = states.filter(({ address }) => address.startsWith('/desk'))
  expect(desks.map(({ state }) => state)).toEqual(['refunded', 'refunded'])
  expect(world.made.length).toBe(1)
  await system.stop()
})

test('A4 the same key with other arguments is a conflict, never a second effect', async () => {
  const world = new World()
  const system = refundSystem(world, { agents: 2, secondAmount: '90.00 USD' })
  await system.start()
  await system.atRest()
  const declined = [...system.read.actors.values()].filter(
    (atom) => atom.get().state === 'declined',
  )
  expect(declined).toHaveLength(1)
  expect(world.made.length).toBe(1)
  await system.stop()
})

test('A5 a withdrawn action that is proposed again by two agents answers both', async () => {
  const world = new World()
  const system = refundSystem(world, { ...overLimit, agents: 2 })
  await system.start()
  await system.atRest()
  for (const desk of ['/desk', '/desk-2']) system.ref(desk).send({ type: 'leave' })
  await system.atRest()
  expect(statusesOf(system)).toEqual(['withdrawn'])
  for (const desk of ['/desk', '/desk-2']) system.startFresh(desk)
  await system.atRest()
  expect(statusesOf(system)).toEqual(['withdrawn', 'open'])
  const alice = await approver(system, 'alice')
  await alice('c-2', 'approve')
  await system.atRest()
  const desks = ['/desk', '/desk-2'].map((desk) => system.read.actors.get(desk)?.get().state)
  expect(desks).toEqual(['refunded', 'refunded'])
  expect(world.made.length).toBe(1)
  await system.stop()
})

/** The outcome of every action and its attempts, from the thought log. */
async function outcomes(system: ReturnType<typeof refundSystem>): Promise<(Json | undefined)[][]> {
  const turns = await system.history({ under: '/system/actions' })
  const thoughts = turns.flatMap(
    ({ record }) => (JSON.parse(record) as { thoughts?: Event[] }).thoughts ?? [],
  )
  return thoughts
    .filter(({ kind }) => kind === 'outcome')
    .map(({ outcome, attempts }) => [outcome as Json, attempts as Json])
}

/** With a clock by hand nothing is ever "soon": turns are counted until they stay the same. */
async function settled(system: ReturnType<typeof refundSystem>): Promise<void> {
  for (let before = -1, same = 0; same < 20;) {
    await new Promise((resolve) => setImmediate(resolve))
    const { turns } = system.read.counters.get()
    same = turns === before ? same + 1 : 0
    before = turns
  }
}
