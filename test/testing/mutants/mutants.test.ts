import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { invariants, supervision } from 'ambit/testing'
import { mutants, type Mutant } from './mutants.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))
const hunter = fileURLToPath(new URL('hunt.js', import.meta.url))

/** A hunt that takes longer has found nothing. */
const HUNT_MS_MAX = 120_000

interface Hunt {
  readonly killed: boolean
  readonly runs: number
  readonly seconds: number
  readonly invariant?: string
  readonly sentence?: string
}

let folder = ''
const hunts = new Map<Mutant, Hunt>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ambit-mutants-'))
  cpSync(join(project, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  cpSync(join(project, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  })
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const [{ name, breaks }, { killed, runs, seconds, invariant }] of hunts) {
    const how = killed
      ? `${invariant} in ${runs} runs, ${seconds.toFixed(1)} s`
      : `LIVES: ${breaks} holds`
    console.log(`${name}: ${how}`)
  }
  const killed = [...hunts.values()].filter((hunt) => hunt.killed).length
  const caught = new Set([...hunts.values()].map(({ invariant }) => invariant))
  const names = [...invariants, ...supervision({})].map(({ name }) => name)
  console.log(`mutants killed ${killed}/${mutants.length}`)
  console.log(
    `invariants caught ${names.filter((name) => caught.has(name)).length}/${names.length}`,
  )
})

describe('mutants', () => {
  test.each(mutants)('V5 $name: $breaks', { timeout: 2 * HUNT_MS_MAX }, async (mutant) => {
    const hunt = await huntFor(mutant)
    hunts.set(mutant, hunt)
    expect(hunt).toMatchObject({ killed: true, invariant: mutant.breaks })
  })

  test('V5 each invariant is broken by a mutant', () => {
    const broken = new Set(mutants.map(({ breaks }) => breaks))
    const all = [...invariants, ...supervision({})].map(({ name }) => name)
    expect(all.filter((name) => !broken.has(name))).toEqual([])
  })
})

/** Plants the fault, lets the simulation run in a process of its own, and takes the fault out again. */
async function huntFor({ file, find, put, simulation, breaks }: Mutant): Promise<Hunt> {
  const path = join(folder, 'dist', file)
  const right = readFileSync(path, 'utf8')
  const parts = right.split(find)
  if (parts.length !== 2)
    throw new Error(`${file} has "${find}" ${parts.length - 1} times: mend the mutant.`)
  writeFileSync(path, parts.join(put))
  try {
    const args = [hunter, folder, simulation, breaks]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: HUNT_MS_MAX })
    return JSON.parse(stdout) as Hunt
  } finally {
    writeFileSync(path, right)
  }
}
