import type { AnyActorRef } from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'
import { buildMachine, childMark } from './build-machine.ts'
import { createDoors, messageOf, type Doors } from './parts.ts'
import type { MachinePlan, Step } from './plan.ts'

/** A script that builds the machine of a plan and takes the steps, noting all there is to see. */
export function randomScript(plan: MachinePlan, steps: readonly Step[]): Script {
  return {
    name: `${plan.id}: ${steps.map((step) => JSON.stringify(step)).join(' ')}`,
    run: (world) => hushed(() => runScript(plan, steps, world)),
  }
}

/** Ends early when the machine has ended, and silent if it failed: its children may go on. */
export async function runScript(
  plan: MachinePlan,
  steps: readonly Step[],
  world: World,
): Promise<void> {
  const doors = createDoors()
  const end = { isFailed: false }
  const note: World['note'] = (...seen) => {
    if (!end.isFailed) world.note(...seen)
  }
  const hand = world.start(buildMachine(plan, { note, doors }))
  watch(world, hand, end)
  look(world, hand, 'start')
  for (const step of steps) {
    if (seen(hand).status !== 'active') break
    take(step, hand, doors)
    // Only here time passes for promises: how many microtasks an answer takes is nowhere promised.
    if (isAnswer(step) && doors.used) await hand.settle()
    look(world, hand, JSON.stringify(step))
  }
  if (!doors.used) return
  const isActive = seen(hand).status === 'active'
  await hand.settle()
  if (isActive) look(world, hand, 'at rest')
}

const isAnswer = (step: Step) => 'resolve' in step || 'reject' in step

function take(step: Step, hand: Hand, doors: Doors): void {
  if ('send' in step) hand.send({ type: step.send, v: step.v } as never)
  else if ('advance' in step) hand.advance(step.advance)
  else if ('stop' in step) hand.stop()
  else if ('resolve' in step) {
    doors.end(step.resolve, (door) => door.resolve({ value: step.value }))
  } else doors.end(step.reject, (door) => door.reject(new Error(step.error)))
}

/** Subscribes as a user would: to snapshots, ends and emitted events. */
function watch(world: World, { ref }: Hand, end: { isFailed: boolean }): void {
  ref.subscribe({
    next: (snapshot: Seen) => world.note('next', snapshot.status, inOrder(snapshot.value)),
    complete: () => world.note('complete'),
    error(error: unknown) {
      world.note('error', messageOf(error))
      end.isFailed = true
    },
  })
  ref.on('e', (event) => world.note('emitted e', event))
  ref.on('*', (event) => world.note('emitted', event))
}

interface Seen {
  readonly status: string
  readonly value?: unknown
  readonly context?: unknown
  readonly output?: unknown
  readonly error?: unknown
  readonly tags?: ReadonlySet<string>
  readonly children?: Readonly<Record<string, AnyActorRef>>
}

const seen = ({ ref }: Hand) => ref.getSnapshot() as Seen

function look(world: World, hand: Hand, label: string): void {
  const snapshot = seen(hand)
  const { tags = [], children = {} } = snapshot
  world.note('>', label, describe(snapshot), [...tags].sort())
  // The children of a machine that has ended are nobody's any more.
  if (snapshot.status !== 'active') return
  for (const [id, child] of Object.entries(children).sort(([one], [other]) =>
    one < other ? -1 : 1,
  ))
    world.note('  ', id, describe(child.getSnapshot() as Seen))
}

function describe({ status, value, context, output, error }: Seen): unknown {
  return { status, value: inOrder(value), context, output, error: messageOf(error) }
}

/** The order of regions in a value carries no meaning. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const parts = Object.entries(value).map(([key, part]) => [key, inOrder(part)] as const)
  return Object.fromEntries(parts.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/**
 * What two worlds must agree on. XState runs the actions of a step one by one, so some have run when
 * a later one throws; whether they have is nowhere promised. So of the step in which the machine
 * failed only the failure counts, and what child machines note only counts if no child failed.
 */
export function comparable(trace: readonly string[]): readonly string[] {
  const hasFailedChild = trace.some((line) => /"errors":[1-9]|^ {3}\S.*"status":"error"/.test(line))
  const told = hasFailedChild ? trace.filter((line) => !line.startsWith(childMark)) : trace
  const lines = withoutOrphans(told)
  const failure = lines.findIndex((line) => line.startsWith('failed '))
  if (failure < 0) return lines
  const before = lines.slice(0, failure).findLastIndex((line) => /^(>| {3}\S)/.test(line))
  const after = lines.slice(failure).filter((line) => /^(failed|error|>) /.test(line))
  return [...lines.slice(0, before + 1), ...after]
}

/**
 * What XState has lost sight of goes on after its parent has ended; with Ambit it ends with its actor. So of the step
 * in which the machine ended it is not compared what was cleaned up.
 */
function withoutOrphans(lines: readonly string[]): readonly string[] {
  const end = lines.findIndex((line) => /^> .*"status":"(stopped|done)"/.test(line))
  if (end < 0) return lines
  const before = lines.slice(0, end).findLastIndex((line) => /^(>| {3}\S)/.test(line))
  const isCleaning = (line: string) => /^(no pulse|cleaned up|given up)/.test(line)
  return lines.filter((line, i) => i <= before || i >= end || !isCleaning(line))
}

/** Without XState's warnings of events that come too late: there are many. */
async function hushed(run: () => Promise<void>): Promise<void> {
  const { warn } = console
  console.warn = () => undefined
  try {
    await run()
  } finally {
    console.warn = warn
  }
}

/**
 * Whether two worlds agree. Where an action of the author's threw, they need not name the same error: XState runs it
 * before it works out the actions that follow, Ambit after, so another of them may fail first.
 */
export function agree(one: readonly string[], other: readonly string[]): boolean {
  const traces = [comparable(one), comparable(other)] as const
  const failures = traces.map((lines) => lines.findIndex((line) => line.startsWith('failed ')))
  const isLate = traces.some((lines, i) => lines[failures[i] ?? -1]?.endsWith('an action threw'))
  const [left, right] = traces.map((lines, i) =>
    isLate && failures.every((at) => at >= 0) ? lines.slice(0, failures[i]) : lines,
  )
  return JSON.stringify(left) === JSON.stringify(right)
}
