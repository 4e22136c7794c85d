/** What the watching thread is given. */
export interface WatchdogTask {
  /** `[0]` counts the beats of the event loop; `[1]` is 1 while a debugger is attached. */
  readonly shared: SharedArrayBuffer
  readonly lookMs: number
  /** Looks without a new beat after which the loop counts as blocked. */
  readonly looksMax: number
  /** What the thread evaluates in the blocked one, to learn who is at work. */
  readonly question: string
}

/** What the blocked thread answers. */
export interface UnderWay {
  readonly address?: string
  readonly systemId?: string
  readonly message?: { readonly type: string; readonly id: string }
  readonly effect?: string
  /** All that, in words. */
  readonly work?: string
  readonly stack?: string
}

/** What the thread reports once the loop goes on. */
export interface StallReport extends UnderWay {
  readonly blockedMs: number
}

/**
 * Runs in a thread of its own, as text: it must use nothing from outside itself. Looks at a counter that the main
 * thread's event loop turns; when it stands still, stops the main thread for a moment as a debugger does, asks who is
 * at work, and writes that to stderr itself, because the loop that would write it is the one that is blocked.
 */
export function watchFromOutside({ shared, lookMs, looksMax, question }: WatchdogTask): void {
  const { Session } = process.getBuiltinModule('node:inspector')
  const { writeSync } = process.getBuiltinModule('node:fs')
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const beats = new Int32Array(shared)
  let last = -1
  let looks = 0
  let lastChangeAt = performance.now()
  let stall: { who: UnderWay | undefined; end: () => void } | undefined

  const say = (text: string) => {
    try {
      writeSync(2, text)
    } catch {
      // Nobody reads stderr: the report still comes when the loop goes on.
    }
  }
  const standingMs = () => Math.round(performance.now() - lastChangeAt)
  const ask = () => {
    const session = new Session()
    const asked: NonNullable<typeof stall> = { who: undefined, end: () => session.disconnect() }
    const at = last
    const leave = () => {
      session.post('Debugger.resume')
      session.post('Debugger.disable')
    }
    session.connectToMainThread()
    session.on('Debugger.paused', () => {
      // The thread may have come to the end of what held it up before it could be stopped.
      if (Atomics.load(beats, 0) !== at) return leave()
      const how = { expression: question, returnByValue: true, silent: true }
      session.post('Runtime.evaluate', how, (_, answer) => {
        const { result } = answer as { result?: { value?: UnderWay } }
        asked.who = result?.value ?? {}
        const { work = 'nobody knows who', stack = '' } = asked.who
        // Said before the thread goes on: its next step may be the end of the process.
        say(`ambit: the event loop has stood still for ${standingMs()} ms: ${work}\n${stack}\n`)
        leave()
      })
    })
    session.post('Debugger.enable')
    session.post('Debugger.pause')
    return asked
  }
  setInterval(() => {
    const beat = Atomics.load(beats, 0)
    if (beat !== last) {
      if (stall !== undefined) {
        const report: StallReport = { ...stall.who, blockedMs: standingMs() }
        stall.end()
        parentPort?.postMessage(report)
      }
      stall = undefined
      last = beat
      looks = 0
      lastChangeAt = performance.now()
      return
    }
    looks++
    if (Atomics.load(beats, 1) === 1) return
    if (looks === looksMax) stall = ask()
    if (looks === looksMax * 2 && stall !== undefined && stall.who === undefined) {
      say(`ambit: the event loop has stood still for ${standingMs()} ms, in native code: named when it returns
`)
    }
  }, lookMs)
}
