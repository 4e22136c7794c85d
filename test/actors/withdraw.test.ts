import { systemClock, type ActorSystem, type Clock, type Observer, type TurnReport } from 'ambit'
import { expect, test } from 'vitest'
import { ledgerOf, refundSystem, World } from '../support/refund-world.ts'

type Moment = 'proposed' | 'waiting' | 'reserved' | 'executing'
type Blow = 'leaves its state' | 'is stopped' | 'starts fresh' | 'crashes'

interface Row {
  readonly moment: Moment
  readonly blow: Blow
  readonly refunds: number
  /** What the ledger must hold, as statuses of its entries. */
  readonly ledger: readonly string[]
  readonly cases: readonly string[]
}

/** The state of the action's machine in which the withdrawal must find it. */
const stateAt: Record<Moment, string> = {
  proposed: 'evaluating',
  waiting: 'awaitingHuman',
  reserved: 'reserving',
  executing: 'executing',
}

/** The turn after which the blow falls: a withdrawal takes as many rounds as the ledger's answer, so it is early. */
const strikeAfter: Record<Moment, (report: TurnReport) => boolean> = {
  proposed: ({ address }) => address === '/desk',
  waiting: ({ state }) => state === 'awaitingHuman',
  reserved: ({ type }) => type === 'ambit.ledger.view',
  executing: ({ state }) => state === 'executing',
}

/** A round takes no time of its budget, however busy the computer is: so the blow falls where it is aimed. */
const evenClock = (): Clock => ({ ...systemClock(), elapsed: () => 0 })

const withdrawn = { refunds: 0, ledger: [], cases: [] }
const done = { refunds: 1, ledger: ['committed'], cases: [] }

// What is withdrawn leaves nothing behind; a fresh start proposes the same again; a crash changes nothing.
const table: Row[] = [
  { moment: 'proposed', blow: 'leaves its state', ...withdrawn },
  { moment: 'proposed', blow: 'is stopped', ...withdrawn },
  { moment: 'proposed', blow: 'starts fresh', ...done },
  { moment: 'proposed', blow: 'crashes', ...done },
  { moment: 'waiting', blow: 'leaves its state', ...withdrawn, cases: ['withdrawn'] },
  { moment: 'waiting', blow: 'is stopped', ...withdrawn, cases: ['withdrawn'] },
  { moment: 'waiting', blow: 'starts fresh', ...withdrawn, cases: ['withdrawn', 'open'] },
  { moment: 'waiting', blow: 'crashes', ...withdrawn, cases: ['open'] },
  { moment: 'reserved', blow: 'leaves its state', ...withdrawn, ledger: ['released'] },
  { moment: 'reserved', blow: 'is stopped', ...withdrawn, ledger: ['released'] },
  { moment: 'reserved', blow: 'starts fresh', ...done },
  { moment: 'reserved', blow: 'crashes', ...done },
  { moment: 'executing', blow: 'leaves its state', ...done },
  { moment: 'executing', blow: 'is stopped', ...done },
  { moment: 'executing', blow: 'starts fresh', ...done },
  { moment: 'executing', blow: 'crashes', ...done },
]

test.each(table)(
  'A5 an agent that $blow while its action is $moment orphans nothing',
  async (row) => {
    const world = new World()
    const gate = withResolvers()
    let struck = false
    let actionState: unknown
    const found: unknown[] = []
    const striker: Observer = {
      onTurn(report) {
        if (report.address.startsWith('/system/actions/')) {
          if (report.type === 'ambit.action.withdraw') found.push(actionState)
          actionState = report.state
        }
        if (struck || !strikeAfter[row.moment](report)) return
        struck = true
        strike(system, row.blow)
      },
    }
    // The effect waits until the blow has landed, so that `executing` means what it says.
    world.onExecute = async () => {
      if (row.moment === 'executing') await gate.promise
    }
    const amount = row.moment === 'waiting' ? '720.00 USD' : '100.00 USD'
    const system: ActorSystem = refundSystem(world, {
      amount,
      observers: [striker],
      clock: evenClock(),
    })
    await system.start()
    if (row.moment === 'executing') {
      const restarts = () => system.read.actors.get('/desk')?.get().restarts ?? 0
      const landed = () => (row.blow === 'crashes' ? restarts() > 0 : found.length > 0)
      while (!landed()) await new Promise((resolve) => setImmediate(resolve))
      gate.resolve(undefined)
    }
    await system.atRest({ timersWithinMs: 10_000 })
    expect(struck).toBe(true)
    expect(found).toEqual(row.blow === 'crashes' ? [] : [stateAt[row.moment]])
    expect(world.refunds).toBe(row.refunds)
    expect(world.made.length).toBe(row.refunds)
    expect(ledgerOf(system).statuses).toEqual(row.ledger)
    expect(ledgerOf(system).sums.reduce((a, b) => a + b, 0)).toBe(row.refunds * 10_000)
    expect(system.cases().map(({ status }) => status)).toEqual(row.cases)
    await system.stop()
  },
)

function strike(system: ActorSystem, blow: Blow): void {
  if (blow === 'leaves its state') system.ref('/desk').send({ type: 'leave' })
  else if (blow === 'is stopped') system.stopActor('/desk')
  else if (blow === 'starts fresh') system.startFresh('/desk')
  else system.ref('/desk').send({ type: 'boom' })
}

function withResolvers() {
  let resolve: (value: unknown) => void = () => undefined
  const promise = new Promise((settle) => (resolve = settle))
  return { promise, resolve }
}
