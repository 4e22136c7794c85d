import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The loader hook of `load-typescript.js`: strips the types of each module. */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { default: ts } = await import('typescript')
  const text = await readFile(fileURLToPath(url), 'utf8')
  const { outputText: source } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  })
  return { format: 'module', shortCircuit: true, source }
}
