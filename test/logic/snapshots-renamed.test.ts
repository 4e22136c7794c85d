import { actor, agent, ask, type AmbitError, type Migration } from 'ambit'
import { describe, expect, test } from 'vitest'
import { createMachine, setup } from 'xstate'
import { pastOf, pasts, shown } from './by-hand.ts'

describe.each(pasts)('after a $ending over a $journal journal', ({ journal, ending: how }) => {
  test('S5 what a renamed state waited for is refused by name, or goes on: it is never lost', async () => {
    const waiting = (version: string, state: string) =>
      createMachine({
        id: 'waiting',
        version,
        initial: state,
        states: { [state]: { after: { 1000: 'over' } }, over: {} },
      })
    const past = pastOf(journal, how, actor('it', waiting('1', 'before')))
    await past.begin()
    await past.end()
    const migrations: Migration[] = [
      { from: '1', to: '2', migrate: ({ context }) => ({ value: 'after', context }) },
    ]
    const life = past.make(actor('it', waiting('2', 'after'), { migrations }))
    const started = await life.system.start().then(
      () => 'goes on',
      (error: unknown) => (error as AmbitError).code,
    )
    await life.advance(1000)
    const isOver = started === 'goes on' && shown(life.ref).value === 'over'
    expect(isOver || started === 'AMBIT_MACHINE_CHANGED').toBe(true)
  })

  test('S4 an agent is migrated as any actor is', async () => {
    const asking = (version: string, state: string) =>
      setup({
        actors: { ask: ask({ to: '/it', event: () => ({ type: 'x' }), timeoutMs: Infinity }) },
      }).createMachine({
        id: 'agent',
        version,
        initial: state,
        states: { [state]: { invoke: { src: 'ask', id: 'ask', onDone: 'over' } }, over: {} },
      })
    const past = pastOf(journal, how, agent('it', asking('1', 'idle')))
    await past.begin()
    await past.end()
    const migrations: Migration[] = [
      { from: '1', to: '2', migrate: ({ context }) => ({ value: 'calm', context }) },
    ]
    const { ref } = await past.begin(agent('it', asking('2', 'calm'), { migrations }))
    expect(shown(ref)).toMatchObject({ value: 'calm', status: 'active' })
  })
})
