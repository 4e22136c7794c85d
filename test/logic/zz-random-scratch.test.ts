import fc from 'fast-check'
import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { createActor } from 'xstate'
import { traceOfXState, settle, type Script } from './worlds.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { planArbitrary, stepsArbitrary } from './random/arbitraries.ts'
import { randomScript } from './random/random-script.ts'

const N = Number(process.env.N ?? 2000),
  SEED = Number(process.env.SEED ?? 1)
test('stats', async () => {
  const t0 = performance.now()
  const plans = fc.sample(fc.tuple(planArbitrary, stepsArbitrary), { numRuns: N, seed: SEED })
  const t1 = performance.now()
  const traces: string[] = []
  let same = true
  for (const [i, [plan, steps]] of plans.entries())
    if (
      !process.env.AT ||
      writeFileSync('/tmp/at.json', JSON.stringify([i, plan, steps])) === undefined
    )
      traces.push((await traceOfXState(randomScript(plan, steps))).join('\n'))
  const t2 = performance.now()
  for (const [i, [plan, steps]] of plans.entries())
    if (i % 4 === 0) {
      const again = (
        await traceOfXState(randomScript(JSON.parse(JSON.stringify(plan)), steps))
      ).join('\n')
      if (again !== traces[i]) {
        same = false
        writeFileSync(
          '/tmp/nondet.txt',
          JSON.stringify([plan, steps], null, 1) + '\n' + traces[i] + '\n=====\n' + again,
        )
      }
    }
  const kinds = new Map<string, number>()
  const perMachine: number[] = []
  for (const [plan, steps] of plans) {
    const seen = await inspected(randomScript(plan, steps))
    for (const k of seen) kinds.set(k, (kinds.get(k) ?? 0) + 1)
    perMachine.push(seen.size)
  }
  writeFileSync('/tmp/inf.txt', plans.map(([p], i) => [JSON.stringify(p), traces[i]!] as const).filter(([, t]) => /^(?:(?!>).*\n)*failed.*Infinite.*\n(?:(?!>).*\n)*> start/.test(t)).sort((a, b) => a[0].length - b[0].length).slice(0, 14).map((x) => x[0].replaceAll('"', '')).join('\n\n'))
  const share = (f: (t: string) => boolean) =>
    ((100 * traces.filter(f).length) / N).toFixed(1) + '%'
  const count = (t: string, re: RegExp) => (t.match(re) ?? []).length
  const out = {
    same,
    genMsPer: (t1 - t0) / N,
    runMsPer: (t2 - t1) / N,
    changes5: share((t) => count(t, /^next /gm) >= 5),
    values4: share(
      (t) => new Set([...t.matchAll(/^> .*?"value":(.*?),"context"/gm)].map((m) => m[1])).size >= 4,
    ),
    failed: share((t) => /^failed/m.test(t)),
    failedAtStart: share((t) => /^failed/.test(t.replace(/^(?!failed|>).*\n/gm, ''))),
    fuel: share((t) => /^failed.*fuel/m.test(t)),
    infinite: share((t) => /^failed.*Infinite/m.test(t)),
    unable: share((t) => /^failed.*Unable to send/m.test(t)),
    finished: share((t) => /^complete/m.test(t)),
    lines: traces.reduce((s, t) => s + t.split('\n').length, 0) / N,
    childLine: share((t) => /^ {3}\S/m.test(t)),
    childError: share((t) => /^ {3}\S.*"error","/m.test(t)),
    kindsPerMachine: perMachine.reduce((a, b) => a + b, 0) / N,
    kinds8: ((100 * perMachine.filter((n) => n >= 8).length) / N).toFixed(1),
    distinct: kinds.size,
    kinds: Object.fromEntries(
      [...kinds].sort((a, b) => b[1] - a[1]).map(([k, n]) => [k, ((100 * n) / N).toFixed(1)]),
    ),
    errors: tally(traces),
    atStart: tally(traces.filter((t) => /^(?:(?!>).*\n)*failed.*\n(?:(?!>).*\n)*> start/.test(t))),
  }
  writeFileSync('/tmp/stats.json', JSON.stringify(out, null, 1))
  writeFileSync(
    '/tmp/samples.txt',
    plans
      .slice(0, 12)
      .map(([p, s], i) => JSON.stringify(p) + '\n' + JSON.stringify(s) + '\n' + traces[i])
      .join('\n\n'),
  )
}, 600000)
function tally(traces: string[]) {
  const m = new Map<string, number>()
  for (const t of traces)
    for (const l of t.matchAll(/^failed (.*(\n(?!next|error|>|note).*)?)/gm)) {
      const k = l[1]!.replace(/in transition.*/, '').slice(0, 90)
      m.set(k, (m.get(k) ?? 0) + 1)
    }
  return Object.fromEntries([...m].sort((a, b) => b[1] - a[1]).slice(0, 25))
}
async function inspected(script: Script): Promise<Set<string>> {
  const seen = new Set<string>()
  await script.run({
    note: (...p) => {
      if (
        typeof p[0] === 'string' &&
        [
          'promise',
          'callback',
          'received',
          'given up',
          'cleaned up',
          'leaf',
          'pulse',
          'no pulse',
          'shut',
          'exit family',
          'emitted',
          'log',
        ].includes(p[0])
      )
        seen.add('note:' + p[0] + (p[0] === 'promise' ? ' ' + p[1] : ''))
    },
    start(logic, { input } = {}) {
      const time = createManualClock()
      const cancels = new Map<number, () => void>()
      let timers = 0
      const clock = {
        setTimeout(run: () => void, ms: number) {
          const id = timers++
          cancels.set(
            id,
            time.wakeAt(time.now() + ms, () => {
              seen.add('timer')
              run()
            }),
          )
          return id
        },
        clearTimeout: (id: number) => cancels.get(id)?.(),
      }
      let actor: any
      actor = createActor(logic, {
        input,
        clock,
        logger: () => seen.add('log'),
        inspect: (e: any) => {
          const deep =
            actor && e.actorRef && e.actorRef !== actor && e.actorRef._parent ? 'child ' : ''
          if (e.type === '@xstate.action') seen.add(deep + 'act:' + e.action.type)
          if (e.type === '@xstate.actor' && deep)
            seen.add(
              'actor:' +
                (e.actorRef.logic.root
                  ? e.actorRef._parent._parent
                    ? 'grand'
                    : 'machine ' + (e.actorRef.logic.id === 'family' ? 'family' : '')
                  : 'other'),
            )
          if (e.type === '@xstate.snapshot' && e.snapshot?.status !== 'active')
            seen.add(deep + 'status:' + e.snapshot?.status)
          if (
            e.type === '@xstate.microstep' &&
            JSON.stringify(e.snapshot.value).match(/\{[^{}]*,|\},/)
          )
            seen.add(deep + 'parallel')
          if (e.type === '@xstate.microstep')
            for (const t of e._transitions ?? []) {
              seen.add(
                deep +
                  'tr:' +
                  (t.eventType === ''
                    ? 'always'
                    : t.eventType
                        .replace(/^(xstate\.[a-z]+(\.(state|actor))?).*/, '$1')
                        .replace(/^[abcrs]$/, 'x')
                        .replace(/^p\.[qr]/, 'p.q')),
              )
              if (t.reenter && t.target) seen.add(deep + 'reenter')
              if (!t.target) seen.add(deep + 'targetless')
              if (t.target?.length > 1) seen.add(deep + 'multi')
              for (const x of t.target ?? [])
                if (x.type === 'history')
                  seen.add(
                    deep +
                      'history ' +
                      x.history +
                      (e.snapshot.historyValue[x.id] ? ' filled' : ' default'),
                  )
              if (t.guard)
                seen.add(
                  deep +
                    'guard:' +
                    (typeof t.guard === 'string'
                      ? t.guard
                      : typeof t.guard === 'function'
                        ? t.guard.name || 'inline'
                        : t.guard.type),
                )
            }
        },
      } as never)
      actor.subscribe({ error: () => undefined })
      actor.start()
      return {
        ref: actor,
        send: (e) => actor.send(e),
        advance: (ms) => time.advance(ms),
        settle,
        stop: () => void actor.stop(),
      }
    },
  })
  return seen
}
