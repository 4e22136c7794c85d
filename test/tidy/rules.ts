import ts from 'typescript'
import { find, walk, type Files, type Finding } from './source.ts'

/** Each rule of SPEC.md has a test, and each test says which rule it shows. */
export function checkRules(files: Files): readonly Finding[] {
  const rules = rulesOf(files.get('SPEC.md') ?? '')
  const tested = new Set<string>()
  const findings: Finding[] = []
  walk(
    files,
    (path) => path.startsWith('test/'),
    (node) => {
      const title = titleOf(node)
      if (title === undefined) return
      const rule = /^([A-Z]\d+) /.exec(startOf(title))?.[1]
      if (rule === undefined) {
        const remedy = "Start it with the number of a rule in SPEC.md: test('R2 …')."
        findings.push(find(title, `has the title ${title.getText()}.`, remedy))
      } else if (!rules.has(rule)) {
        findings.push(
          find(title, `names the rule ${rule}.`, 'SPEC.md has no such rule: add it there.'),
        )
      } else tested.add(rule)
    },
  )
  const untested = [...rules].filter(([rule]) => !tested.has(rule))
  return findings.concat(
    untested.map(([rule, line]) => ({
      file: 'SPEC.md',
      line,
      what: `states ${rule}, which no test shows.`,
      remedy: `Write test('${rule} …').`,
    })),
  )
}

/** The line of each rule by its number. */
function rulesOf(spec: string): ReadonlyMap<string, number> {
  const lines = spec
    .split('\n')
    .map((text, index) => [/^- \*\*([A-Z]\d+)\*\*/.exec(text)?.[1], index + 1] as const)
  return new Map(
    lines.flatMap(([rule, line]) => (rule === undefined ? [] : [[rule, line] as const])),
  )
}

/** The title of `test(…)`, `test.fails(…)` or `test.each(…)(…)`, also when it is called `it`. */
function titleOf(node: ts.Node): ts.Expression | undefined {
  if (!ts.isCallExpression(node)) return undefined
  const callee = node.expression
  const isTable = ts.isCallExpression(callee) || ts.isTaggedTemplateExpression(callee)
  const name = isTable ? nameOf(callee) : callee.getText()
  if (!/^(test|it)\b[\w.]*$/.test(name)) return undefined
  return isTable || !/\.(each|for|skipIf|runIf|extend|scoped)$/.test(name)
    ? node.arguments[0]
    : undefined
}

function nameOf(callee: ts.CallExpression | ts.TaggedTemplateExpression): string {
  return (ts.isCallExpression(callee) ? callee.expression : callee.tag).getText()
}

/** What a title says before its first variable. */
function startOf(title: ts.Expression): string {
  if (ts.isTemplateExpression(title)) return title.head.text
  return ts.isStringLiteralLike(title) ? title.text : ''
}
