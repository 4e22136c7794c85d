import { setImmediate as nextRound } from 'node:timers/promises'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { supervisor } from '../../actors/supervisor.ts'
import type { ChildSpec } from '../../src/kernel/supervisor-spec.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { KernelOptions } from '../../src/kernel/options.ts'
import { Kernel } from '../../src/kernel/system.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'

export interface Running {
  readonly kernel: Kernel
  readonly clock: ManualClock
  /** Waits until nothing runs, without moving the clock. */
  readonly rest: () => Promise<void>
  /** Waits until nothing runs, letting the waits before restarts and retries pass. */
  readonly settle: () => Promise<void>
}

export type RunOptions = Partial<Omit<KernelOptions, 'clock'>> & { readonly clock?: ManualClock }

const ROUNDS_MAX = 20_000
const STILL_ROUNDS = 3

/** Starts a kernel over a manual clock; the children are those of a root supervisor. */
export async function run(
  children: readonly ChildSpec[],
  options: RunOptions = {},
): Promise<Running> {
  const running = make(children, options)
  await running.kernel.start()
  return running
}

export function make(children: readonly ChildSpec[], options: RunOptions = {}): Running {
  const { clock = createManualClock(), ...rest } = options
  const kernel = new Kernel({
    root: supervisor({ children }),
    journal: memoryJournal(),
    ...rest,
    clock,
  })
  return {
    kernel,
    clock,
    rest: () => until(() => isAtRest(kernel), 'the system to rest'),
    async settle() {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        if (await isAtRest(kernel)) return
        clock.advance(60)
      }
      throw new Error('The system did not settle')
    },
  }
}

/** Waits for a fact, letting the event loop go round; throws when it does not come true. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what = 'a fact',
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (await isTrue()) return
    await nextRound()
  }
  throw new Error(`Waited in vain for ${what}`)
}

/** Lets everything that needs no time happen. */
export async function rounds(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await nextRound()
}

/** A door that stays shut until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

/** At rest, and still so a few rounds of the event loop later. */
async function isAtRest(kernel: Kernel): Promise<boolean> {
  const waiting = Symbol('waiting')
  for (let round = 0; round < STILL_ROUNDS; round++) {
    const answer = await Promise.race([kernel.atRest(), nextRound(waiting)])
    if (answer === waiting) return false
    await nextRound()
  }
  return true
}

/** Asks and gives the answer's `value`. */
export async function valueOf(kernel: Kernel, address: string, event: Event): Promise<unknown> {
  const answer = await kernel.ref(address).ask(event)
  return answer.value
}
