// Lets a thread of a test load the sources as they are: `--import` this file, with `--conditions=ambit-source`.
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
