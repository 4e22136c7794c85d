import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Text by path from the project's folder, with forward slashes. */
export type Files = ReadonlyMap<string, string>

export interface Finding {
  readonly file: string
  readonly line: number
  readonly what: string
  readonly remedy: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['src', 'machines', 'actors', 'examples', 'test', 'bench', 'scripts']

/** The project's own code and its specification. */
export function readProject(): Files {
  const paths = folders
    .filter((folder) => existsSync(root + folder))
    .flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name.replaceAll('\\', '/')}`,
      ),
    )
    .filter(isCode)
  return new Map([...paths, 'SPEC.md'].map((path) => [path, readFileSync(root + path, 'utf8')]))
}

export function isCode(path: string): boolean {
  return /\.m?[jt]s$/.test(path)
}

/** Calls `visit` for every node of every file of code whose path passes. */
export function walk(
  files: Files,
  passes: (path: string) => boolean,
  visit: (node: ts.Node, source: ts.SourceFile) => void,
): void {
  for (const [path, text] of files) {
    if (!isCode(path) || !passes(path)) continue
    const source = parse(path, text)
    const enter = (node: ts.Node): void => {
      visit(node, source)
      ts.forEachChild(node, enter)
    }
    enter(source)
  }
}

const parsed = new Map<string, ts.SourceFile>()

export function parse(path: string, text: string): ts.SourceFile {
  const known = parsed.get(path)
  if (known?.text === text) return known
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  parsed.set(path, source)
  return source
}

export function find(node: ts.Node, what: string, remedy: string): Finding {
  const source = node.getSourceFile()
  return { file: source.fileName, line: lineOf(source, node.getStart()), what, remedy }
}

export function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1
}
