import type { Observer, Subscribable } from 'xstate'
import type { World } from '../worlds.ts'

/** The smallest source of values that `fromObservable` takes; who subscribes is noted. */
export interface Source<T> extends Subscribable<T> {
  next(value: T): void
  error(reason: unknown): void
  complete(): void
}

export function createSource<T>(world: World, name: string): Source<T> {
  const observers = new Set<Partial<Observer<T>>>()
  const subscribe = (given: unknown) => {
    const observer = given as Partial<Observer<T>>
    observers.add(observer)
    world.note(name, 'subscribed')
    return {
      unsubscribe() {
        if (observers.delete(observer)) world.note(name, 'unsubscribed')
      },
    }
  }
  const all = (): readonly Partial<Observer<T>>[] => [...observers]
  return {
    subscribe: subscribe as Subscribable<T>['subscribe'],
    next: (value) => all().forEach((observer) => observer.next?.(value)),
    error: (reason) => all().forEach((observer) => observer.error?.(reason)),
    complete: () => all().forEach((observer) => observer.complete?.()),
  }
}

/** A source that gives its values while it is being subscribed to, and then completes. */
export function valuesOf<T>(...values: readonly T[]): Subscribable<T> {
  const subscribe = (given: unknown) => {
    const observer = given as Partial<Observer<T>>
    for (const value of values) observer.next?.(value)
    observer.complete?.()
    return { unsubscribe: () => undefined }
  }
  return { subscribe: subscribe as Subscribable<T>['subscribe'] }
}
