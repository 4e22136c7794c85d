// npm test -- ARGS: vitest with ARGS; the build comes first, because some tests start the built command.

import { become, build, install, tool } from './prepare.js'

install()
build()
await become(tool('vitest', 'vitest'), ['run', ...process.argv.slice(2)])
