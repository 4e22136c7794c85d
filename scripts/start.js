// npm start -- ARGS: the refund desk on the tickets given, see examples/refund-desk.

import { join, relative } from 'node:path'
import { become, build, install, root } from './prepare.js'

install()
build()
const desk = relative('', join(root, 'examples', 'refund-desk'))
await become(join(root, 'dist/src/cli/main.js'), ['run', desk, ...process.argv.slice(2)])
