// npm run payments -- ARGS: the payments server that the refund desk talks to.

import { join } from 'node:path'
import { become, build, install, root } from './prepare.js'

install()
build()
await become(join(root, 'dist/examples/refund-desk/payments-main.js'), process.argv.slice(2))
