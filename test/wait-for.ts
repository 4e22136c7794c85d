const WAIT_MAX_MS = 20_000
const POLL_MS = 10

/**
 * Waits until a fact holds and returns it; throws once the deadline passes without it.
 *
 * A fact that throws does not hold yet; its last error is the cause of the one thrown here.
 */
export async function waitFor<T>(
  fact: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<T> {
  const { timeoutMs = WAIT_MAX_MS, what = fact.toString() } = options
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const found = await fact()
      if (found !== undefined && found !== false) return found
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause })
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
