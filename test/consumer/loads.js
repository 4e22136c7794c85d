// Prints the URL of every script that importing the named packages loads, be it a module or CommonJS.

import { Session } from 'node:inspector'

const loaded = []
const session = new Session()
session.connect()
session.on('Debugger.scriptParsed', ({ params }) => loaded.push(params.url))
session.post('Debugger.enable')
loaded.length = 0
for (const name of process.argv.slice(2)) await import(name)
session.disconnect()
console.log(JSON.stringify(loaded))
