import { execFile, spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const DEPTH_MAX = 100_000
const MEMORY_MAX_MB = 1024
/** Slots for states, as a power of two: the default of spin takes longer to clear than most of these searches. */
const HASH_BITS = 20
const TIMEOUT_MS = 120_000
const OUTPUT_MAX_BYTES = 8 << 20

export interface ModelRun {
  /** The file's name without `.pml`. */
  readonly model: string
  /** The name that makes the model a wrong one; none for the right one. */
  readonly variant?: string
  /** `end` checks assertions and ends; `claim` the model's `ltl` formula, under weak fairness. Default `end`. */
  readonly check?: 'end' | 'claim'
  /** Compiled without optimisation: most wrong variants are refuted faster than compiled. */
  readonly isQuick?: boolean
  /** A wrong variant may break several properties: so many errors are looked at before the search ends. Default 20. */
  readonly errorsMax?: number
}

export interface Verdict {
  readonly variant: string
  /** 0 when the model holds; at most `errorsMax`. */
  readonly errors: number
  /** What was violated, as spin says it, each once. */
  readonly violated: readonly string[]
  /** Statements that no run of the model came to: a property beyond one of them is not checked at all. */
  readonly unreached: readonly string[]
  readonly states: number
  readonly depth: number
  readonly seconds: number
}

const run = promisify(execFile)

/** What this machine lacks to check models, and what to do about it. */
export function missingTool(): string | undefined {
  const isThere = (tool: string) => spawnSync(tool, ['-V']).error === undefined
  if (!isThere('spin')) return 'spin is missing: apt-get install spin'
  return isThere('cc') ? undefined : 'a C compiler is missing: apt-get install gcc'
}

/** Searches all states of a model. Throws when the search could not be completed within its limits. */
export async function verify(asked: ModelRun): Promise<Verdict> {
  const { model, variant, check = 'end', isQuick = false, errorsMax = 20 } = asked
  const startedAt = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'ambit-model-'))
  const limits = { cwd: folder, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAX_BYTES }
  try {
    const file = `${model}.pml`
    await copyFile(fileURLToPath(new URL(file, import.meta.url)), join(folder, file))
    await run('spin', ['-a', ...(variant === undefined ? [] : [`-D${variant}`]), file], limits)
    const defines = check === 'end' ? ['-DSAFETY', '-DNOCLAIM'] : ['-DNFAIR=3']
    const options = [isQuick ? '-O0' : '-O1', ...defines, `-DMEMLIM=${MEMORY_MAX_MB}`]
    await run('cc', [...options, '-o', 'pan', 'pan.c'], limits)
    // A claim is looked at by itself: without the assertions, and no further than its first violation.
    const how = check === 'end' ? [`-c${errorsMax}`] : ['-A', '-a', '-f']
    const { stdout } = await run(
      join(folder, 'pan'),
      [`-m${DEPTH_MAX}`, `-w${HASH_BITS}`, ...how],
      limits,
    )
    const seconds = (performance.now() - startedAt) / 1000
    return { variant: variant ?? '', ...readOutput(stdout, model), seconds }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function readOutput(text: string, model: string): Omit<Verdict, 'variant' | 'seconds'> {
  const [, depth, errors] = /depth reached (\d+), errors: (\d+)/.exec(text) ?? []
  const states = /(\d+) states, stored/.exec(text)?.[1]
  const isCutShort = /max search depth too small|reached -DMEMLIM|out of memory/.test(text)
  if (states === undefined || isCutShort) {
    throw new Error(`${model}.pml was not searched completely; raise a limit of spin.ts:\n${text}`)
  }
  const violated = [...text.matchAll(/^pan:\d+: (.*) \(at depth \d+\)$/gm)].map(([, what]) => what)
  const unreached = [...text.matchAll(/^\t(\w+\.pml:\d+), state \d+, "(.*)"$/gm)]
    .filter(([, , statement]) => statement !== '-end-')
    .map(([, place, statement]) => `${place} ${statement}`)
  return {
    errors: Number(errors),
    violated: [...new Set(violated as string[])],
    unreached,
    states: Number(states),
    depth: Number(depth),
  }
}
