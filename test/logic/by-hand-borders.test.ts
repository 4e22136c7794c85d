import { actor, createSystem, manualClock } from 'ambit'
import { expect, onTestFinished, test } from 'vitest'
import { setup } from 'xstate'
import { light, shown, startAlone } from './by-hand.ts'

const steps = setup({}).createMachine({
  initial: 'a',
  states: { a: { after: { 100: 'b' } }, b: { after: { 20: 'd' } }, d: {} },
})

test('B1 an event of the runtime is refused from outside, but a route where a machine has one', () => {
  const machine = setup({}).createMachine({
    id: 'routed',
    initial: 'a',
    states: { a: {}, b: { id: 'b', route: {} } },
  } as never)
  const { ref, system } = startAlone(machine)
  const refused = { status: 'rejected', reason: 'invalid' }
  expect(ref.send({ type: 'xstate.stop' })).toEqual(refused)
  expect(ref.send({ type: 'xstate.done.actor.x' })).toEqual(refused)
  expect(startAlone(light).ref.send({ type: 'xstate.route', to: '#b' })).toEqual(refused)
  expect(ref.send({ type: 'xstate.route', to: '#b' }).status).toBe('accepted')
  system.drain()
  expect(shown(ref).value).toBe('b')
  expect(system.deadLetters.count('invalid')).toBe(2)
})

test('B1 two systems by hand on one clock share its time and nothing else', () => {
  const clock = manualClock()
  const make = () => {
    const system = createSystem({
      root: actor('it', steps, { durability: 'none' }),
      scheduler: 'manual',
      clock,
    })
    void system.start()
    onTestFinished(() => system.stop({ graceMs: 0 }))
    return system
  }
  const [one, other] = [make(), make()]
  one.ref('/it').stop()
  one.drain()
  clock.advance(500)
  expect(shown(one.ref('/it'))).toMatchObject({ status: 'stopped', value: 'a' })
  expect(shown(other.ref('/it'))).toMatchObject({ status: 'active', value: 'd' })
})
