import ts from 'typescript'
import { importsOf, type Import } from './imports.ts'
import { find, walk, type Files, type Finding } from './source.ts'

const parts = [
  'src/kernel',
  'src/logic',
  'src/embedded',
  'src/envelope',
  'src/thought-log',
  'src/inspect',
  'src/telemetry',
  'src/isolation',
]
const everything = [...parts, 'src/testing', 'machines', 'actors', 'src/cli', 'src/index.ts']

/** What each layer may import besides itself; a type counts like a value. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/kernel': [],
  'src/logic': ['src/kernel'],
  'src/embedded': ['src/kernel'],
  'src/envelope': ['src/kernel'],
  'src/thought-log': ['src/kernel', 'src/envelope'],
  'src/inspect': ['src/kernel'],
  'src/telemetry': ['src/kernel'],
  'src/isolation': ['src/kernel', 'src/logic'],
  'src/testing': [...parts, 'machines', 'actors'],
  machines: parts,
  actors: [...parts, 'machines'],
  'src/cli': everything,
  'src/index.ts': everything,
}

/** Packages that only some files may name. */
const keptIn: readonly {
  readonly name: RegExp
  readonly files: RegExp
  readonly remedy: string
}[] = [
  {
    name: /^(xstate|@xstate)(\/|$)/,
    files:
      /^(src\/logic|src\/testing\/arbitraries|machines|actors|examples)\/|^src\/inspect\/read-models\.ts$/,
    remedy:
      'Only src/logic, machines and actors know XState; go through src/kernel/ports/engine.ts.',
  },
  {
    name: /^(libsql|better-sqlite3|node:sqlite)$/,
    files: /^src\/embedded\/sqlite-driver\.ts$/,
    remedy: 'Only src/embedded/sqlite-driver.ts names a SQLite driver; call it.',
  },
]

export function checkLayers(files: Files): readonly Finding[] {
  return importsOf(files).flatMap((edge) => {
    const layer = layerOf(edge.from)
    if (layer === undefined || edge.to === undefined) return []
    if (layer === 'examples') return checkExample(edge, edge.to)
    const allowed = mayImport[layer]
    if (allowed === undefined) {
      const remedy = 'Say in test/tidy/layers.ts what it may import.'
      return [find(edge.node, `is in ${layer}, which has no layer.`, remedy)]
    }
    const target = layerOf(edge.to) ?? edge.to
    if (target === layer || allowed.includes(target)) return []
    const may = allowed.length > 0 ? allowed.join(', ') : 'nothing else'
    const remedy = `${layer} may import ${may}: move what both need down, or pass it in.`
    return [find(edge.node, `imports ${edge.to}.`, remedy)]
  })
}

function checkExample({ from, name, node }: Import, to: string): readonly Finding[] {
  const own = /^examples\/[^/]+\//.exec(from)?.[0]
  if (!name.startsWith('.') || (own !== undefined && to.startsWith(own))) return []
  const remedy = "Import from 'ambit' or 'ambit/program': an example shows what a user can do."
  return [find(node, `imports ${to}.`, remedy)]
}

/** Cycles of imports that are there at run time; types may refer to one another. */
export function checkCycles(files: Files): readonly Finding[] {
  const edges = importsOf(files).filter((edge) => !edge.isTypeOnly)
  const findings: Finding[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (done.has(path)) return
    const here = [...trail, path]
    for (const { from, to, node } of edges) {
      if (from !== path || to === undefined) continue
      if (here.includes(to)) {
        const cycle = [...here.slice(here.indexOf(to)), to].join(' -> ')
        findings.push(
          find(node, `closes the cycle ${cycle}.`, 'Move what both need to a third file.'),
        )
      } else visit(to, here)
    }
    done.add(path)
  }
  for (const path of files.keys()) visit(path, [])
  return findings
}

export function checkPackages(files: Files): readonly Finding[] {
  const findings: Finding[] = []
  const isLayered = (path: string): boolean => layerOf(path) !== undefined
  walk(files, isLayered, (node, source) => {
    if (!ts.isStringLiteralLike(node)) return
    for (const { name, files: keepers, remedy } of keptIn) {
      if (name.test(node.text) && !keepers.test(source.fileName)) {
        findings.push(find(node, `names ${node.text}.`, remedy))
      }
    }
  })
  return findings
}

function layerOf(path: string): string | undefined {
  const [top = '', next = ''] = path.split('/')
  if (top === 'src') return `src/${next}`
  return ['machines', 'actors', 'examples'].includes(top) ? top : undefined
}
