import { fromTransition } from 'xstate'
import type { JournalEntry, TurnCommit } from '../../src/kernel/ports/journal.ts'
import type { Observer } from '../../src/kernel/ports/observer.ts'
import type { Kernel } from '../../src/kernel/system.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import type { FaultyJournal } from './faulty-journal.ts'

/** Something to note, and what to have others do: a message that carries all that follows of it. */
export interface Errand {
  readonly tag: string
  readonly then?: readonly Onward[]
}

export type Onward = readonly [to: string, errand: Errand]

interface RunnerState {
  /** What it took, in order: who sent it, as which of that sender's to it, and its tag. */
  readonly seen: readonly string[]
  readonly sent: Readonly<Record<string, number>>
}

/** An event that has an actor do an errand. */
export const errand = (tag: string, ...then: readonly Onward[]) => ({ type: 'errand', tag, then })

/** Does errands and remembers them; `onTake` is called in each step and may throw. */
export const runner = (onTake: (tag: string) => void = () => undefined) =>
  fromTransition(
    (state: RunnerState, event: { type: string; n?: number } & Partial<Errand>): RunnerState => {
      const turn = thisTurn()
      if (event.type === 'seen') {
        turn.reply({ type: 'seen', value: [...state.seen] })
        return state
      }
      const { tag = '?', then = [], n = 0 } = event
      onTake(tag)
      const sent = { ...state.sent }
      for (const [to, { tag: next, then: after = [] }] of then) {
        const number = (sent[to] = (sent[to] ?? 0) + 1)
        turn.tell(to, { type: 'errand', tag: next, then: after, n: number })
      }
      const from = turn.message.headers.from ?? 'outside'
      return { seen: [...state.seen, `${from} ${n} ${tag}`], sent }
    },
    { seen: [], sent: {} },
  )

/** What an actor took, in order, with its senders. */
export async function seenBy(kernel: Kernel, address: string): Promise<readonly string[]> {
  const answer = await kernel.ref(address).ask({ type: 'seen' })
  return answer.value as readonly string[]
}

/** The tags of what an actor took, in order. */
export async function tagsOf(kernel: Kernel, address: string): Promise<readonly string[]> {
  return (await seenBy(kernel, address)).map((each) => each.split(' ')[2] ?? '')
}

/** What is out of order among what an actor took: each sender's messages are numbered from 1. */
export function disorderIn(seen: readonly string[]): readonly string[] {
  const last = new Map<string, number>()
  return seen.filter((each) => {
    const [from = '', n = ''] = each.split(' ')
    if (from === 'outside') return false
    const expected = (last.get(from) ?? 0) + 1
    last.set(from, Number(n))
    return Number(n) !== expected
  })
}

export const turnsOf = (batch: readonly JournalEntry[]): TurnCommit[] =>
  batch.filter((entry): entry is TurnCommit => entry.kind === 'turns')

export interface Witness extends Observer {
  /** The turns that were told of, in order. */
  readonly told: string[]
  /** What was told of a turn that the journal does not hold. */
  readonly early: string[]
  /** The batches that were stored, each once it was. */
  readonly batches: (readonly TurnCommit[])[]
}

/** Hears of turns, and notes those that it is told of before the journal has them. */
export function witness(journal: FaultyJournal): Witness {
  const stored = new Map<string, number>()
  const [told, early]: string[][] = [[], []]
  const batches: (readonly TurnCommit[])[] = []
  const { afterCommit } = journal
  journal.afterCommit = (batch) => {
    for (const { address, seq } of turnsOf(batch)) stored.set(address, seq)
    batches.push(turnsOf(batch))
    afterCommit(batch)
  }
  return {
    told: told ?? [],
    early: early ?? [],
    batches,
    onTurn({ address, seq }) {
      told?.push(`${address} ${seq}`)
      if ((stored.get(address) ?? 0) < seq) early?.push(`${address} ${seq}`)
    },
  }
}
