import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

const folder = join(tmpdir(), 'ambit-stripped')

/** The loader hook of `load-typescript.js`: strips the types of each module, and keeps it for the next thread. */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  const kept = join(folder, `${createHash('sha256').update(text).digest('hex')}.js`)
  const source = await readFile(kept, 'utf8').catch(() => strip(text, kept))
  return { format: 'module', shortCircuit: true, source }
}

async function strip(text, kept) {
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  })
  const draft = `${kept}.${process.pid}.${threadId}`
  await mkdir(folder, { recursive: true })
  await writeFile(draft, outputText)
  // Another thread may write the same: each reader sees a whole file.
  await rename(draft, kept)
  return outputText
}
