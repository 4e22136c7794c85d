import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { generateApproverKey, keyIdOf } from '../envelope/statement.ts'
import { handIn } from './hand-in.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

const KEYS_FOLDER = 'keys'
const PERSON = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/

/** Makes a key pair for a person and registers its public half with the approval desk. */
export async function keygen(
  person: string,
  options: { readonly role?: readonly string[]; readonly journal: string; readonly json?: boolean },
): Promise<void> {
  if (!PERSON.test(person))
    throw usageError(`Expected a name of letters, digits and ._@-, got "${person}".`)
  const directory = resolve(options.journal)
  const file = keyFile(directory, person)
  if (existsSync(file)) {
    throw new CommandEnd(
      exitCodes.failed,
      `${person} has a key already: ${file}. Use it, or choose another name.`,
    )
  }
  const { privateKey, publicKey } = generateApproverKey()
  const keyId = keyIdOf(publicKey)
  const roles = options.role ?? ['*']
  const approver = { person, roles, publicKey }
  mkdirSync(join(directory, KEYS_FOLDER), { recursive: true, mode: 0o700 })
  writeFileSync(file, privateKey, { mode: 0o600, flag: 'wx' })
  const handed = await handIn(
    directory,
    '/approvers',
    { keyId, approver },
    { type: 'ambit.approver.add', keyId, approver },
  )
  if (handed.by === 'desk' && handed.status !== 200) {
    throw new CommandEnd(exitCodes.failed, `The desk refused the key: ${String(handed.body.error)}`)
  }
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ person, roles, keyId, file, registered: handed.by })}\n`,
    )
    return
  }
  const scope =
    options.role === undefined ? 'every role (narrow it with --role)' : options.role.join(', ')
  process.stdout.write(
    `${person} may decide for ${scope}.\nPrivate key: ${file} (keep it; it is the signature)\n`,
  )
}

/** The private key of a person, or the only one there is. */
export function readKey(
  directory: string,
  person: string | undefined,
): { person: string; privateKey: string } {
  const folder = join(directory, KEYS_FOLDER)
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith('.pem'))
    : []
  const known = names.map((name) => name.slice(0, -'.pem'.length))
  const [only] = known
  if (person === undefined && (known.length !== 1 || only === undefined)) {
    const remedy =
      known.length === 0
        ? 'Make one with `ambit keygen NAME`.'
        : `Say whose with --as: ${known.join(', ')}.`
    throw new CommandEnd(
      exitCodes.missing,
      `${known.length === 0 ? 'There is no key to sign with' : 'There are several keys'}. ${remedy}`,
    )
  }
  const name = person ?? only ?? ''
  if (!known.includes(name)) {
    throw new CommandEnd(
      exitCodes.missing,
      `${name} has no key here. Known: ${known.join(', ') || 'none'}. Make one with \`ambit keygen ${name}\`.`,
    )
  }
  return { person: name, privateKey: readFileSync(keyFile(directory, name), 'utf8') }
}

function keyFile(directory: string, person: string): string {
  return join(directory, KEYS_FOLDER, `${person}.pem`)
}
