import { expect, test } from 'vitest'
import { runCli, temporaryFolder } from '../support/desk-process.ts'

const nowhere = `${temporaryFolder()}/none`

/** A newcomer's mistakes: what was typed, the exit code, and what the message must say. */
const mistakes: { args: string[]; code: number; says: RegExp }[] = [
  { args: ['rnu'], code: 2, says: /unknown command 'rnu'/ },
  { args: ['approvals', 'list', '--jsno'], code: 2, says: /unknown option '--jsno'[\s\S]*--json/ },
  {
    args: ['run', 'examples/refund-desk', '--agnets', '3'],
    code: 2,
    says: /unknown option '--agnets'[\s\S]*--agents/,
  },
  {
    args: ['run', 'examples/refund-desk', '--agents', '0'],
    code: 2,
    says: /expected a number from 1 to 1000, got "0"/,
  },
  {
    args: ['run', 'examples/refund-desk', '--port', '99999'],
    code: 2,
    says: /expected a number from 0 to 65535/,
  },
  {
    args: ['run', 'examples/refund-desk', '--now', 'tomorrow'],
    code: 2,
    says: /expected an instant such as/,
  },
  {
    args: ['run', 'examples/refund-desk', '--input', 'nosuch.jsonl'],
    code: 2,
    says: /found no "nosuch.jsonl"/,
  },
  {
    args: ['run', 'examples/refund-desk', '--payments', 'elsewhere'],
    code: 2,
    says: /expected a URL/,
  },
  { args: ['run', 'no/such/folder'], code: 2, says: /Found nothing to run at "no\/such\/folder"/ },
  { args: ['approvals', 'list', '--journal', nowhere], code: 3, says: /There is no journal in/ },
  {
    args: ['approvals', 'show', 'c-1', '--journal', nowhere],
    code: 3,
    says: /There is no journal in/,
  },
  {
    args: ['approvals', 'amend', 'c-1', '--journal', nowhere],
    code: 2,
    says: /required option '--args/,
  },
  { args: ['approvals', 'approve'], code: 2, says: /missing required argument 'case'/ },
  {
    args: ['keygen', '../alice', '--journal', nowhere],
    code: 2,
    says: /Expected a name of letters/,
  },
  {
    args: ['log', 'verify', '--head', 'abc', '--journal', nowhere],
    code: 2,
    says: /expected POSITION:HASH/,
  },
  {
    args: ['log', 'show', '--last', 'many', '--journal', nowhere],
    code: 2,
    says: /expected a number from 1/,
  },
]

test.each(mistakes)(
  'C1 `ambit $args` is refused with exit code $code and the remedy',
  async ({ args, code, says }) => {
    const { code: seen, err, out } = await runCli(...args)
    expect(out).toBe('')
    expect(err).toMatch(says)
    expect(seen).toBe(code)
  },
)
