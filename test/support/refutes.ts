import fc from 'fast-check'

/** Whether a property finds the fault of something broken on purpose; the same runs every time. */
export function refutes<T>(property: fc.IProperty<T>): boolean {
  return fc.check(property, { seed: 1, numRuns: 1000, interruptAfterTimeLimit: 20_000 }).failed
}

export async function refutesAsync<T>(property: fc.IAsyncProperty<T>): Promise<boolean> {
  const options = { seed: 1, numRuns: 1000, interruptAfterTimeLimit: 20_000 }
  return (await fc.check(property, options)).failed
}
