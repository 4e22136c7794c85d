import ts from 'typescript'
import { find, isCode, lineOf, walk, type Files, type Finding } from './source.ts'

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 70
const LINE_LENGTH_MAX = 120

export function checkLimits(files: Files): readonly Finding[] {
  return [...files]
    .filter(([path]) => isCode(path))
    .flatMap(checkText)
    .concat(checkFunctions(files))
}

function checkText([file, text]: readonly [string, string]): readonly Finding[] {
  const lines = text.trimEnd().split('\n')
  const findings = lines.flatMap((line, index): Finding[] => {
    if (line.length <= LINE_LENGTH_MAX || line.includes('://')) return []
    const what = `has ${line.length} characters.`
    return [{ file, line: index + 1, what, remedy: `Break it at ${LINE_LENGTH_MAX}.` }]
  })
  if (lines.length <= FILE_LINES_MAX) return findings
  const what = `has ${lines.length} lines.`
  const remedy = `Split it by noun; a file has at most ${FILE_LINES_MAX}.`
  return [...findings, { file, line: lines.length, what, remedy }]
}

function checkFunctions(files: Files): readonly Finding[] {
  const findings: Finding[] = []
  walk(
    files,
    () => true,
    (node, source) => {
      if (!ts.isFunctionLike(node) || isDescribeBody(node)) return
      const length = linesOf(node, source) - chartLines(node, source)
      if (length <= FUNCTION_LINES_MAX) return
      const remedy = `Take a part out and name it; a function has at most ${FUNCTION_LINES_MAX}.`
      findings.push(find(node, `starts a function of ${length} lines.`, remedy))
    },
  )
  return findings
}

/** A `describe` only groups tests. */
function isDescribeBody({ parent }: ts.Node): boolean {
  return ts.isCallExpression(parent) && /^describe\b/.test(parent.expression.getText())
}

/** The lines of the charts in a function: a chart is a table of states, which splitting would hide. */
function chartLines(node: ts.Node, source: ts.SourceFile): number {
  let lines = 0
  const visit = (inner: ts.Node): void => {
    if (ts.isObjectLiteralExpression(inner) && isChart(inner)) lines += linesOf(inner, source)
    else ts.forEachChild(inner, visit)
  }
  ts.forEachChild(node, visit)
  return lines
}

function isChart({ parent }: ts.Node): boolean {
  return ts.isCallExpression(parent) && /\b(setup|createMachine)$/.test(parent.expression.getText())
}

function linesOf(node: ts.Node, source: ts.SourceFile): number {
  return lineOf(source, node.getEnd()) - lineOf(source, node.getStart()) + 1
}
