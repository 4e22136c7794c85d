/** What a run took from outside its world: the real clock, chance or timers. What follows from it does not replay. */
export interface OutsideCall {
  /** `Date.now`, `Math.random`, `setTimeout`, ... */
  readonly name: string
  /** Who called it, innermost first. */
  readonly stack: readonly string[]
}

/** More places than these are not told of. */
export const OUTSIDE_CALLS_MAX = 20
const STACK_LINES = 5

type Callable = (this: unknown, ...args: unknown[]) => unknown

const doors: readonly (readonly [shown: string, owner: object, name: string])[] = [
  ['Date.now', Date, 'now'],
  ['Math.random', Math, 'random'],
  ['performance.now', performance, 'now'],
  ['setTimeout', globalThis, 'setTimeout'],
  ['setInterval', globalThis, 'setInterval'],
  ['setImmediate', globalThis, 'setImmediate'],
]

/** Whose run goes on at this moment: steps are synchronous, so there is one at a time. */
let listener: OutsideCalls | undefined
let installed = 0
let restore: (() => void)[] = []

/** Notes who takes real time or chance while a system steps. What goes on after a promise is not seen. */
export class OutsideCalls {
  private readonly found = new Map<string, OutsideCall>()

  get all(): readonly OutsideCall[] {
    return [...this.found.values()]
  }

  /** Stands in the doors to the outside until the answer is called. */
  install(): () => void {
    if (installed++ === 0) restore = [...doors.map(guard), guardDate()]
    return () => {
      if (--installed === 0) for (const back of restore.splice(0)) back()
    }
  }

  /** Whatever is called meanwhile is called by the system. */
  within<T>(run: () => T): T {
    return listening(this, run)
  }

  note(name: string): void {
    if (this.found.size >= OUTSIDE_CALLS_MAX) return
    // The error, this method and the door come first.
    const stack = (new Error().stack ?? '').split('\n').slice(3, 3 + STACK_LINES)
    const place = `${name} ${stack[0]}`
    if (!this.found.has(place)) this.found.set(place, { name, stack: stack.map((at) => at.trim()) })
  }
}

/** Whatever is called meanwhile is the harness's own. */
export function beside<T>(run: () => T): T {
  return listening(undefined, run)
}

function listening<T>(who: OutsideCalls | undefined, run: () => T): T {
  const outer = listener
  listener = who
  try {
    return run()
  } finally {
    listener = outer
  }
}

function guard([shown, owner, name]: (typeof doors)[number]): () => void {
  const real = Reflect.get(owner, name) as Callable
  const door = function (this: unknown, ...args: unknown[]): unknown {
    listener?.note(shown)
    return Reflect.apply(real, this, args)
  }
  Reflect.set(owner, name, Object.assign(door, real))
  return () => void Reflect.set(owner, name, real)
}

function guardDate(): () => void {
  const real = globalThis.Date
  const door = (target: object, args: unknown[], made: () => void): object => {
    if (args.length === 0) listener?.note('new Date()')
    return Reflect.construct(target as () => void, args, made) as object
  }
  globalThis.Date = new Proxy(real, { construct: door }) as DateConstructor
  return () => (globalThis.Date = real)
}
