import { expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { actorSpec, type ActorOptions } from '../../src/kernel/child-spec.ts'
import type { Engine, Step } from '../../src/kernel/ports/engine.ts'
import { thisTurn, withTurn } from '../../src/kernel/turn.ts'
import { createInterpreter } from '../../src/logic/interpreted.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { rounds, run, until, valueOf } from '../support/running.ts'

interface State {
  readonly taken: readonly number[]
}

/** Keeps what it took, in its order. */
const collector = fromTransition(
  (state: State, event: { type: string; n?: number }): State => {
    if (event.type === 'get') thisTurn().reply({ type: 'got', value: state.taken })
    return event.n === undefined ? state : { taken: [...state.taken, event.n] }
  },
  { taken: [] } as State,
)

/** A collector whose steps wait until the test lets them come back. */
function distant() {
  const asked: { n: unknown; answer(): void; fail(error: Error): void }[] = []
  const inner = createInterpreter(collector)
  const engine: Engine = {
    ...inner,
    stepAway(step, place, turn) {
      if (step.kind === 'start') return undefined
      const { state } = place
      return new Promise<Step>((done, fail) => {
        const make = () => {
          const made = withTurn(turn, () => inner.step(state, step.incoming, place))
          const { wanted = [] } = turn as unknown as { wanted?: Step['commands'] }
          return { ...made, commands: [...made.commands, ...wanted] }
        }
        asked.push({ n: step.incoming.event.n, answer: () => done(make()), fail })
      })
    },
  }
  const next = async () => {
    await until(() => asked.length > 0, 'a step to be asked for')
    return asked.shift()!
  }
  /** Lets every step come back as soon as it is asked for. */
  const answerAll = () => {
    for (const each of asked.splice(0)) each.answer()
  }
  return { engine, asked, next, answerAll }
}

async function system(options: ActorOptions = {}, journal = faultyJournal()) {
  const far = distant()
  const { kernel, clock, settle } = await run(
    [actorSpec('far', far.engine, options), actor('near', collector)],
    { journal },
  )
  const send = (n: number) => kernel.ref('/far').send({ type: 'take', n })
  /** What the actor has taken in the end. */
  const taken = async () => {
    const value = valueOf(kernel, '/far', { type: 'get' })
    let isOver = false
    void value.finally(() => (isOver = true)).catch(() => undefined)
    await until(() => {
      far.answerAll()
      clock.advance(60)
      return isOver
    })
    return value
  }
  return { ...far, kernel, clock, settle, send, taken, journal }
}

test('I9 an actor takes nothing else until its step is there; others go on', async () => {
  const { kernel, next, asked, send } = await system()
  send(1)
  send(2)
  const first = await next()
  expect(await valueOf(kernel, '/near', { type: 'get' })).toEqual([])
  await rounds()
  expect(asked).toEqual([])
  first.answer()
  expect((await next()).n).toBe(2)
  await kernel.stop({ graceMs: 0 })
})

test('I9 a step whose maker is gone has not happened, and is asked for again in its order', async () => {
  const { kernel, next, send } = await system()
  send(1)
  send(2)
  const first = await next()
  first.fail(new Error('its thread is gone'))
  first.answer()
  expect((await next()).n).toBe(1)
  await kernel.stop({ graceMs: 0 })
})

test('I9 a step that comes back late, for a life that is over, changes nothing', async () => {
  const journal = faultyJournal()
  const { kernel, next, asked, send, taken, clock } = await system({}, journal)
  let failures = 2
  journal.beforeCommit = () => {
    if (failures-- > 0) throw new Error('the disk is away')
  }
  send(1)
  send(2)
  // Its turn is made and cannot be stored; meanwhile the next is asked for, on top of it.
  const first = await next()
  first.answer()
  const late = await next()
  expect(late.n).toBe(2)
  // The actor is back where it was and asks for the first again, whether or not the late one ever comes.
  await until(() => {
    clock.advance(60)
    return asked.length > 0
  })
  expect(asked[0]?.n).toBe(1)
  late.answer()
  await rounds()
  expect(await taken()).toEqual([1, 2])
  await kernel.stop({ graceMs: 0 })
})

test('I9 a message that was pushed out of its mailbox under way is not taken', async () => {
  const mailbox = { userLengthMax: 1, overflow: 'dropOldest' } as const
  const { kernel, next, send, taken } = await system({ mailbox })
  send(1)
  const first = await next()
  send(2)
  expect(kernel.deadLetters.count('mailboxFull')).toBe(1)
  first.answer()
  const second = await next()
  expect(second.n).toBe(2)
  second.answer()
  await rounds()
  expect(await taken()).toEqual([2])
  await kernel.stop({ graceMs: 0 })
})

test('I9 a system that stops waits for a step as for an effect, and then no longer', async () => {
  const journal = memoryJournal()
  const far = distant()
  const first = await run([actorSpec('far', far.engine)], { journal })
  const delivered = first.kernel.ref('/far').deliver({ type: 'take', n: 1 }, { id: 'a' })
  const lost = first.kernel.ref('/far').deliver({ type: 'take', n: 2 }, { id: 'b' })
  const step = await far.next()
  const stopped = first.kernel.stop({ graceMs: 1000 })
  step.answer()
  expect(await delivered).toBe('committed')
  const late = await far.next()
  await until(() => {
    first.clock.advance(100)
    return Promise.race([stopped.then(() => true), rounds(1).then(() => false)])
  })
  late.answer()
  await expect(lost).rejects.toMatchObject({ code: 'AMBIT_STOPPED' })
  const second = await run([actor('far', collector)], { journal })
  expect(await valueOf(second.kernel, '/far', { type: 'get' })).toEqual([1])
  await second.kernel.stop()
})

test('I9 what is sent to such an actor waits for its sender to be stored', async () => {
  const journal = faultyJournal()
  const far = distant()
  const relay = fromTransition((state: object) => {
    thisTurn().tell('/far', { type: 'take', n: 1 })
    return state
  }, {})
  const { kernel, clock } = await run([actorSpec('far', far.engine), actor('relay', relay)], {
    journal,
  })
  let failures = 2
  journal.beforeCommit = () => {
    if (failures-- > 0) throw new Error('the disk is away')
  }
  kernel.ref('/relay').send({ type: 'go' })
  await until(() => {
    clock.advance(60)
    if (failures >= 0) expect(far.asked).toEqual([])
    return far.asked.length > 0
  })
  await rounds()
  expect(far.asked).toHaveLength(1)
  await kernel.stop({ graceMs: 0 })
})
