// npm start -- ARGS: the refund desk on the tickets given, see examples/refund-desk.

import { join } from 'node:path'
import { become, build, install, root } from './prepare.js'

install()
build()
const desk = join(root, 'examples', 'refund-desk')
await become(join(root, 'dist/src/cli/main.js'), ['run', desk, ...process.argv.slice(2)])
