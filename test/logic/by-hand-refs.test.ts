import { actor } from 'ambit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { getNextSnapshot, toPromise, waitFor, type AnyActorRef, type Snapshot } from 'xstate'
import { refusal } from '../support/refusal.ts'
import { fuses, lifeOf, light, type Shown, shown, startAlone } from './by-hand.ts'

describe('a snapshot', () => {
  test('B3 is the snapshot of XState itself: value, context, tags, meta and what it can', () => {
    const { ref, system } = startAlone(light)
    ref.send({ type: 'next' })
    system.drain()
    const snapshot = shown(ref)
    const own = getNextSnapshot(
      light,
      light.resolveState({ value: 'green', context: { turns: 0 } }),
      { type: 'next' },
    )
    expect(snapshot).toMatchObject({ value: 'red', context: { turns: 1 }, status: 'active' })
    expect([...snapshot.tags]).toEqual([...own.tags])
    expect([snapshot.output, snapshot.error, snapshot.children]).toEqual([undefined, undefined, {}])
    expect([snapshot.matches('red'), snapshot.matches('green')]).toEqual([true, false])
    expect([snapshot.hasTag('halt'), snapshot.hasTag('go')]).toEqual([true, false])
    expect([snapshot.can({ type: 'off' }), snapshot.can({ type: 'on' })]).toEqual([true, false])
    expect(snapshot.getMeta()).toEqual(own.getMeta())
    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({ value: 'red' })
    ref.send({ type: 'next' })
    system.drain()
    expect(shown(ref).getMeta()).toEqual({ 'light.green': { says: 'walk' } })
    // A snapshot that was taken stays as it was.
    expect(snapshot.value).toBe('red')
  })

  test('B3 of an actor that is done has its output', () => {
    const { ref, system } = startAlone(light)
    ref.send({ type: 'next' })
    ref.send({ type: 'off' })
    system.drain()
    expect(shown(ref)).toMatchObject({ status: 'done', value: 'out', output: 1 })
  })

  test('B3 of a stopped actor says so and shows where it stood', () => {
    const { ref, system } = startAlone(light)
    ref.stop()
    system.drain()
    expect(shown(ref)).toMatchObject({ status: 'stopped', value: 'green' })
    expect(shown(ref).matches('green')).toBe(true)
  })

  test('B3 of a failed actor has status error and what it threw', () => {
    const { ref, system } = startAlone(light)
    const errors: unknown[] = []
    ref.subscribe({ error: (error) => void errors.push(error) })
    ref.send({ type: 'break' })
    system.drain()
    const { status, error, value } = shown(ref)
    expect({ status, value }).toEqual({ status: 'error', value: 'green' })
    expect((error as Error).message).toBe('a fuse')
    expect(errors).toEqual([error])
    expect(system.alarms).toMatchObject([{ address: '/it', error: { message: 'a fuse' } }])
  })

  test.each(['none', 'sync'] as const)(
    'B3 of a restarted actor with durability %s is that of its new life',
    async (durability) => {
      const life = lifeOf(actor('it', light, { durability }))
      await life.system.start()
      onTestFinished(() => life.system.stop({ graceMs: 0 }))
      await life.send('next')
      const errors: unknown[] = []
      life.ref.subscribe({ error: (error) => void errors.push(error) })
      fuses.left = 1
      await life.send('blow')
      const value = durability === 'none' ? 'green' : 'red'
      const { ref } = life
      expect(shown(ref)).toMatchObject({ status: 'active', value })
      expect(shown(ref).matches(value)).toBe(true)
      await life.send('next')
      expect(shown(ref).value).toBe(durability === 'none' ? 'red' : 'green')
      expect(errors).toEqual([])
    },
  )

  test.each(['none', 'sync'] as const)(
    'R5 a message that fails twice is set aside with durability %s, and the next is taken',
    async (durability) => {
      const life = lifeOf(actor('it', light, { durability }))
      await life.system.start()
      onTestFinished(() => life.system.stop({ graceMs: 0 }))
      await life.send('break')
      await life.send('next')
      for (let waited = 0; waited < 40; waited++) await life.advance(1000)
      expect(shown(life.ref)).toMatchObject({ status: 'active', value: 'red' })
      expect(life.system.alarms).toEqual([])
    },
  )

  test('B3 at an address where nobody lives is an error with a code and the remedy', () => {
    const { system } = startAlone(light)
    const nobody = system.ref('/nobody')
    for (const call of [() => shown(nobody), () => nobody.subscribe(() => undefined)]) {
      const error = refusal(call)
      expect([error.code, error.message]).toEqual([
        'AMBIT_STOPPED',
        'Nobody lives at "/nobody". Expected the address of an actor in the tree.',
      ])
    }
    expect(nobody.send({ type: 'next' })).toEqual({ status: 'rejected', reason: 'unknownActor' })
    expect(refusal(() => system.ref('nobody')).code).toBe('AMBIT_ADDRESS_INVALID')
  })

  test('B3 before the start is active and shows nothing else', () => {
    const life = lifeOf(actor('it', light, { durability: 'none' }))
    expect(shown(life.ref)).toEqual({ status: 'active' })
    expect(life.ref.send({ type: 'next' })).toEqual({ status: 'rejected', reason: 'stopped' })
  })
})

describe('what XState gives to wait with', () => {
  test('B4 waitFor takes a ref without a cast', async () => {
    const { ref, system } = startAlone(light)
    const red = waitFor(ref, (snapshot: Shown) => snapshot.matches('red'), { timeout: 10_000 })
    ref.send({ type: 'next' })
    system.drain()
    expect(((await red) as Shown).context).toEqual({ turns: 1 })
    const plain: AnyActorRef = ref
    const known: Snapshot<unknown> = ref.getSnapshot() as Snapshot<unknown>
    expect([plain.getSnapshot(), plain.id]).toEqual([known, 'it'])
  })

  test('B4 waitFor is refused when the actor ends without what was waited for', async () => {
    const { ref, system } = startAlone(light)
    const out = waitFor(ref, (snapshot: Shown) => snapshot.matches('out'), { timeout: 10_000 })
    const failed = expect(out).rejects.toThrow('Actor terminated without satisfying predicate')
    ref.stop()
    system.drain()
    await failed
  })

  test('B4 toPromise gives the output, before and after the end', async () => {
    const { ref, system } = startAlone(light)
    const early = toPromise(ref)
    ref.send({ type: 'next' })
    ref.send({ type: 'off' })
    system.drain()
    expect([await early, await toPromise(ref)]).toEqual([1, 1])
  })

  test('B4 toPromise is rejected with what the actor threw', async () => {
    const { ref, system } = startAlone(light)
    const early = expect(toPromise(ref)).rejects.toThrow('a fuse')
    ref.send({ type: 'break' })
    system.drain()
    await early
    await expect(toPromise(ref)).rejects.toThrow('a fuse')
  })

  test('B4 toPromise of an actor that failed and goes on waits for its real end', async () => {
    const life = lifeOf(actor('it', light, { durability: 'sync' }))
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    const output = toPromise(life.ref)
    fuses.left = 1
    await life.send('blow')
    await life.send('next')
    await life.send('off')
    expect(await output).toBe(1)
  })
})
