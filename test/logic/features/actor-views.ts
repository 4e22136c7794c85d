import type { AnyActorRef, EventObject } from 'xstate'
import type { World } from '../worlds.ts'

/** Any event a script's machines exchange: plain fields, and refs inside one tree of actors. */
export interface Ev {
  readonly type: string
  readonly n?: number
  readonly output?: unknown
  readonly error?: unknown
  readonly actorId?: string
  readonly snapshot?: View
  readonly from?: AnyActorRef
}

/** What scripts look at in a snapshot, whatever logic it belongs to. */
export interface View {
  readonly status: string
  readonly value?: unknown
  readonly context?: unknown
  readonly output?: unknown
  readonly error?: unknown
  readonly children?: Readonly<Record<string, AnyActorRef | undefined>>
}

/** The `types` of a machine without context. */
export const types = {} as { events: Ev }

/** The `types` of a machine that counts. */
export const counting = {} as { context: { n: number }; events: Ev }

export const numbered = (type: string, n: number): Ev => ({ type, n })

export function viewOf(ref: AnyActorRef): View {
  return ref.getSnapshot() as View
}

/** The child that a path of ids leads to; the script is wrong if there is none. */
export function childOf(ref: AnyActorRef, ...ids: readonly string[]): AnyActorRef {
  let found = ref
  for (const id of ids) {
    const next = viewOf(found).children?.[id]
    if (next === undefined) throw new Error(`There is no child "${id}".`)
    found = next
  }
  return found
}

export function childIds(ref: AnyActorRef): readonly string[] {
  return Object.keys(viewOf(ref).children ?? {})
}

/** An action that notes some words and the type of the event it runs for. */
export function says(world: World, ...words: readonly string[]) {
  return ({ event }: { event: EventObject }): void => world.note(...words, event.type)
}

/** An action that notes some words and the whole event, without any ref it carries. */
export function tells(world: World, ...words: readonly string[]) {
  return ({ event }: { event: EventObject }): void => {
    const { error, ...rest } = event as Ev
    world.note(...words, rest, ...('error' in event ? [error] : []))
  }
}

/** An action for `onSnapshot`: notes what the child's snapshot shows. */
export function shows(world: World, ...words: readonly string[]) {
  return ({ event }: { event: { type: string; snapshot: unknown } }): void => {
    const { status, value, context } = event.snapshot as View
    world.note(...words, event.type, status, value ?? context)
  }
}
