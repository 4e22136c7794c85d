// Compares the public API with the reports in etc/; --local (npm run api) rewrites them.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, readJson, root } from './prepare.js'

install()
build()

const { Extractor, ExtractorConfig } = await import('@microsoft/api-extractor')
const isLocal = process.argv.includes('--local')
const packageFile = join(root, 'package.json')
const compilerOptions = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  skipLibCheck: true,
}
const entries = Object.entries(readJson(packageFile).exports).filter(([, entry]) => entry.types)

mkdirSync(join(root, 'etc'), { recursive: true })
process.exitCode = entries.map(([subpath, entry]) => report(subpath, entry.types)).includes(false)
  ? 1
  : 0

function report(subpath, types) {
  const name = `ambit${subpath.slice(1).replaceAll('/', '-')}.api.md`
  const entryFile = join(root, types)
  if (!existsSync(entryFile)) {
    console.error(
      `package.json exports "${subpath}" with the types ${types}, which the build does not make.`,
    )
    return false
  }
  const result = Extractor.invoke(settings(entryFile, name), {
    localBuild: isLocal,
    messageCallback,
  })
  if (result.apiReportChanged && !isLocal) {
    console.error(
      `etc/${name} is out of date. Run \`npm run api\` and commit it if the change is meant.`,
    )
  } else if (!result.succeeded) {
    console.error(`api-extractor found errors in ${types}, see above.`)
  }
  return result.succeeded
}

/** Leaves out the talk about versions; what is wrong is said on stderr. */
function messageCallback(message) {
  message.handled = true
  if (message.logLevel === 'error') console.error(message.formatMessageWithLocation(root))
}

function settings(mainEntryPointFilePath, reportFileName) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: packageFile,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath,
      newlineKind: 'lf',
      // The custom condition of tsconfig.json would lead from dist/ back to the sources.
      compiler: { overrideTsconfig: { compilerOptions, files: [mainEntryPointFilePath] } },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder: join(root, 'etc'),
        reportTempFolder: join(root, 'dist', 'api-report'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'error' },
          // Every export is public; the report itself shows what lacks a docblock or an export.
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-undocumented': { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'none', addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
}
