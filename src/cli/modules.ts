import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** The JavaScript module that a path means: itself, the index of a folder, or what a source was built to. */
export function findModule(given: string): string | undefined {
  const path = resolve(given)
  const candidates = [path, join(path, 'index.js'), join(path, 'index.mjs'), ...builtTwins(path)]
  return candidates.find((candidate) => /\.m?js$/.test(candidate) && existsSync(candidate))
}

function builtTwins(path: string): string[] {
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) {
    if (!existsSync(join(folder, 'package.json'))) continue
    const built = join(folder, 'dist', relative(folder, path))
    return [join(built, 'index.js'), built.replace(/\.ts$/, '.js')]
  }
  return []
}
