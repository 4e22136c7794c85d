/** A value that may be there at once: a journal in this process answers at once, one far away with a promise. */
export type MaybePromise<T> = T | Promise<T>

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}

/** Inside `runMaybe`: waits for a promise, and goes straight on with anything else. */
export function* wait<T>(value: MaybePromise<T>): Generator<Promise<unknown>, T> {
  return (isPromise(value) ? yield value : value) as T
}

/** Runs steps that may have to wait; when none of them does, the result is there at once. */
export function runMaybe<T>(steps: Generator<Promise<unknown>, T>): MaybePromise<T> {
  const go = (resume: () => IteratorResult<Promise<unknown>, T>): MaybePromise<T> => {
    const reached = resume()
    if (reached.done === true) return reached.value
    return reached.value.then(
      (value) => go(() => steps.next(value)),
      (error: unknown) => go(() => steps.throw(error)),
    )
  }
  return go(() => steps.next())
}
