import { posix } from 'node:path'
import ts from 'typescript'
import { walk, type Files } from './source.ts'

export interface Import {
  readonly from: string
  /** As it is written. */
  readonly name: string
  /** A path of the project; undefined for a package from elsewhere. */
  readonly to: string | undefined
  readonly isTypeOnly: boolean
  readonly node: ts.Node
}

const entries: Readonly<Record<string, string>> = {
  ambit: 'src/index.ts',
  'ambit/program': 'src/cli/program.ts',
}

/** Every import, re-export, `import()` and import type. */
export function importsOf(files: Files): readonly Import[] {
  const found: Import[] = []
  walk(
    files,
    () => true,
    (node, source) => {
      const name = specifierOf(node)
      if (name === undefined) return
      const from = source.fileName
      found.push({ from, name, to: resolve(from, name), isTypeOnly: isTypeOnly(node), node })
    },
  )
  return found
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && textOf(node.moduleSpecifier)
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return textOf(node.argument.literal)
  }
  if (!ts.isCallExpression(node) || node.arguments[0] === undefined) return undefined
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  return isImport || isRequire ? textOf(node.arguments[0]) : undefined
}

function textOf(node: ts.Node): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined
}

function resolve(from: string, name: string): string | undefined {
  return name.startsWith('.') ? posix.join(posix.dirname(from), name) : entries[name]
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly || areTypes(node.exportClause)
  if (!ts.isImportDeclaration(node)) return false
  const clause = node.importClause
  if (clause === undefined) return false
  const isType = clause.phaseModifier === ts.SyntaxKind.TypeKeyword
  return isType || (clause.name === undefined && areTypes(clause.namedBindings))
}

function areTypes(names: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (names === undefined || !('elements' in names)) return false
  return names.elements.every((element) => element.isTypeOnly)
}
