import ts from 'typescript'
import { find, lineOf, parse, walk, isCode, type Files, type Finding } from './source.ts'

const members =
  /^(Date\.now|performance\.now|Math\.random|crypto\.(random|getRandom)\w*|globalThis\.set(Timeout|Interval))$/
const cryptoNames = /^(random(UUID|Bytes|Int|Fill|FillSync)|getRandomValues)$/
const timers = /\bset(Timeout|Interval)$/

/** The real implementations of the ports, and the programs around them. */
const edges = new RegExp(
  [
    '^src/kernel/(clock|random)\\.ts$',
    '^src/isolation/watchdog(-thread)?\\.ts$',
    '^(src/cli/|examples/[^/]+/payments-|scripts/|bench/|test/)',
  ].join('|'),
)

export function checkCalls(files: Files): readonly Finding[] {
  const findings: Finding[] = []
  walk(
    files,
    (path) => !edges.test(path),
    (node, source) => {
      const name = bannedName(node)
      if (name === undefined) return
      // A new journal makes its ids and its secret.
      if (name.startsWith('crypto.') && source.fileName.startsWith('src/embedded/')) return
      findings.push(find(node, `uses ${name}.`, remedyFor(name)))
    },
  )
  return findings
}

function remedyFor(name: string): string {
  if (timers.test(name)) return 'Ask the Clock port to wake you.'
  if (/random/i.test(name)) return 'Ask the Random port, or draw from the turn: thisTurn().'
  return 'Ask the Clock port, or take the time of the turn: thisTurn().'
}

/** A test waits for a fact, never for a time. */
export function checkSleeps(files: Files): readonly Finding[] {
  const findings: Finding[] = []
  walk(
    files,
    (path) => path.startsWith('test/') && path !== 'test/wait-for.ts',
    (node) => {
      const name = bannedName(node)
      if (name === undefined || !timers.test(name)) return
      findings.push(
        find(node, `uses ${name}.`, 'Wait for a fact with waitFor() of test/wait-for.ts.'),
      )
    },
  )
  return findings
}

/** The name of what a node takes from the real clock, its timers or its randomness. */
function bannedName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    return members.test(node.getText()) ? node.getText() : undefined
  }
  if (ts.isNewExpression(node)) {
    const isNow = node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0
    return isNow ? 'new Date()' : undefined
  }
  if (ts.isImportSpecifier(node)) {
    const name = (node.propertyName ?? node.name).text
    if (timers.test(name)) return name
    return cryptoNames.test(name) ? `crypto.${name}` : undefined
  }
  if (!ts.isIdentifier(node) || !timers.test(node.text)) return undefined
  const { parent } = node
  const isMember = ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)
  return ts.isImportSpecifier(parent) || (isMember && parent.name === node) ? undefined : node.text
}

/** Left-overs of work, output past the logger, and tests that do not run. */
export function checkLeftovers(files: Files): readonly Finding[] {
  const findings: Finding[] = []
  for (const [path, text] of files) {
    if (isCode(path)) findings.push(...checkComments(parse(path, text)))
  }
  walk(
    files,
    () => true,
    (node, source) => {
      if (!ts.isCallExpression(node)) return
      const callee = node.expression.getText()
      const isQuiet = /^(src\/(?!cli\/)|machines\/|actors\/)/.test(source.fileName)
      if (isQuiet && callee.startsWith('console.')) {
        findings.push(find(node, `calls ${callee}.`, 'Use the Logger port.'))
      }
      if (source.fileName.startsWith('test/')) findings.push(...checkSkips(node, callee))
    },
  )
  return findings
}

function checkSkips(node: ts.CallExpression, callee: string): readonly Finding[] {
  if (/^(test|it|describe)\b.*\.only\b/.test(callee)) {
    return [find(node, `calls ${callee}.`, 'Let all tests run.')]
  }
  if (/^(test|it|describe)\b.*\.(skip|skipIf|runIf|todo)\b/.test(callee)) {
    return [
      find(
        node,
        `calls ${callee}.`,
        "Skip inside the test, with the reason: skip(isAbsent, 'why').",
      ),
    ]
  }
  const reason = node.arguments.at(-1)
  if (!/(^|\.)skip$/.test(callee) || (reason !== undefined && ts.isStringLiteralLike(reason)))
    return []
  return [find(node, 'skips without a reason.', "Say why: skip('no server on this machine').")]
}

function checkComments(source: ts.SourceFile): readonly Finding[] {
  const findings: Finding[] = []
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(source)
    if (children.length > 0) {
      children.forEach(visit)
      return
    }
    // What stands before a token is blanks and comments.
    const before = source.text.slice(node.getFullStart(), node.getStart(source))
    const mark = /\b(TODO|FIXME|XXX)\b/.exec(before)
    if (mark === null) return
    const line = lineOf(source, node.getFullStart() + mark.index)
    findings.push({
      file: source.fileName,
      line,
      what: `says ${mark[0]}.`,
      remedy: 'Do it, or open an issue.',
    })
  }
  visit(source)
  return findings
}
