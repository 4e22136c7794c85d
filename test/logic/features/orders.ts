import type { Script, World } from '../worlds.ts'
import { sayer, sayValue, tracked, type Chart } from './action-kit.ts'

/** Starts a tracked chart and sends it some events, one line of the trace before each. */
function tour(
  name: string,
  chart: (say: (what: string) => () => void) => Chart,
  ...types: string[]
) {
  return {
    name,
    run(world: World) {
      const hand = world.start(tracked(world, chart(sayer(world))))
      sayValue(world, hand)
      for (const type of types) {
        world.note('send', type)
        hand.send({ type })
        sayValue(world, hand)
      }
    },
  }
}

const again = (target: string) => ({ target, reenter: true })

const within = [
  tour('entry actions of an initial state run from the root down', () => ({
    initial: 'a',
    states: { a: { initial: 'a1', states: { a1: { initial: 'a11', states: { a11: {} } } } } },
  })),
  tour('entry actions of initial regions run in document order, each to its depth', () => ({
    type: 'parallel',
    states: {
      a: { initial: 'a1', states: { a1: {}, a2: {} } },
      b: { initial: 'b1', states: { b1: { type: 'parallel', states: { x: {}, y: {} } } } },
    },
  })),
  tour(
    'a transition exits, acts and enters, deep states outwards and inwards',
    (say) => ({
      initial: 'a',
      states: {
        a: {
          initial: 'a1',
          states: { a1: {} },
          on: { go: { target: 'b', actions: [say('first'), say('second')] } },
        },
        b: { initial: 'b1', states: { b1: {} } },
      },
    }),
    'go',
  ),
  tour(
    'a move between siblings leaves their parent alone, by key and by id',
    () => ({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          initial: 'a1',
          states: {
            a1: { on: { next: 'a2' } },
            a2: { on: { next: '#m.a.a3' } },
            a3: { on: { next: '#deep' } },
            a4: { initial: 'a41', states: { a41: {}, a42: { id: 'deep' } } },
          },
        },
      },
    }),
    'next',
    'next',
    'next',
  ),
  tour(
    'an event nobody takes runs no actions, nor those of the last transition again',
    (say) => ({
      initial: 'a',
      states: {
        a: { initial: 'a1', states: { a1: {} }, on: { go: { target: 'b', actions: say('go') } } },
        b: {},
      },
    }),
    'other',
    'go',
    'go',
    'other',
  ),
]

const selves = [
  tour(
    'a leaf that targets itself is not left unless it reenters',
    (say) => ({
      initial: 'a',
      states: {
        a: {
          initial: 'a1',
          states: {
            a1: {
              on: {
                stay: { target: 'a1', actions: say('stay') },
                again: { ...again('a1'), actions: say('again') },
              },
            },
          },
        },
      },
    }),
    'stay',
    'again',
  ),
  tour(
    'a parent that targets itself only starts its inside over unless it reenters',
    () => ({
      initial: 'a',
      states: {
        a: {
          initial: 'a1',
          on: { stay: 'a', again: again('a') },
          states: {
            a1: { initial: 'a11', states: { a11: { on: { on: 'a12' } }, a12: {} } },
          },
        },
      },
    }),
    'on',
    'stay',
    'on',
    'again',
  ),
  tour(
    'a child that targets its parent leaves and enters the parent',
    () => ({
      initial: 'a',
      states: {
        a: {
          id: 'parent',
          initial: 'a1',
          states: {
            a1: { on: { next: 'a2', up: '#parent' } },
            a2: { initial: 'a21', states: { a21: { on: { up: '#parent' } } } },
          },
        },
      },
    }),
    'up',
    'next',
    'up',
  ),
  tour(
    'a parent stays when it targets its child, and is entered anew when it reenters',
    () => ({
      initial: 'a',
      states: {
        a: {
          initial: 'a1',
          on: { inside: '.a2', anew: again('.a2') },
          states: { a1: {}, a2: { initial: 'a2a', states: { a2a: {} } } },
        },
      },
    }),
    'inside',
    'inside',
    'anew',
  ),
  tour(
    'the root is left and entered only by a reentering transition of its own',
    (say) => ({
      id: 'm',
      initial: { target: 'one', actions: say('initial') },
      on: { inside: '.two', anew: again('#two'), reset: again('#m') },
      states: { one: {}, two: { id: 'two' } },
    }),
    'inside',
    'anew',
    'reset',
  ),
  tour(
    'a transition without a target leaves nothing, whoever takes it',
    (say) => ({
      initial: 'a',
      on: { up: { actions: say('up') }, both: { actions: say('outer') } },
      states: {
        a: {
          initial: 'a1',
          states: { a1: {} },
          on: { down: [{ actions: say('down') }], both: [{ actions: say('inner') }] },
        },
      },
    }),
    'up',
    'down',
    'both',
  ),
]

const regions = [
  tour(
    'regions that move together exit in reverse document order and enter in document order',
    (say) => ({
      type: 'parallel',
      states: {
        a: {
          initial: 'a1',
          states: {
            a1: { on: { go: { target: 'a2', actions: [say('a 1'), say('a 2')] } } },
            a2: {},
          },
        },
        b: {
          initial: 'b1',
          states: { b1: { on: { go: { target: 'b2', actions: say('b 1') } } }, b2: {} },
        },
      },
    }),
    'go',
  ),
  tour(
    'actions of regions run in document order, whatever level takes the event',
    (say) => ({
      type: 'parallel',
      states: {
        a: { initial: 'a1', states: { a1: { on: { go: { actions: say('a1') } } } } },
        b: { on: { go: { actions: say('b') } } },
        c: { initial: 'c1', states: { c1: { on: { go: { actions: say('c1') } } } } },
      },
    }),
    'go',
  ),
  tour(
    'a parallel state is left region by region from the last',
    () => ({
      initial: 'b',
      states: {
        a: { on: { back: 'b' } },
        b: {
          type: 'parallel',
          on: { out: 'a' },
          states: {
            c: { initial: 'c1', states: { c1: {} } },
            d: { initial: 'd1', states: { d1: {} } },
          },
        },
      },
    }),
    'out',
    'back',
  ),
  tour(
    'a parallel state that reenters by a target in one region enters all regions',
    () => ({
      initial: 'ready',
      states: {
        ready: {
          type: 'parallel',
          on: { off: again('#off'), soft: '#off' },
          states: {
            devices: { initial: 'old', states: { old: { on: { renew: 'new' } }, new: {} } },
            camera: { initial: 'on', states: { on: {}, off: { id: 'off' } } },
          },
        },
      },
    }),
    'renew',
    'soft',
    'off',
  ),
  tour(
    'an inner region takes an event before the parallel state that holds it',
    (say) => ({
      initial: 'p',
      states: {
        p: {
          type: 'parallel',
          on: { go: { target: 'q', actions: say('p takes it') } },
          states: {
            a: { initial: 'a1', states: { a1: { on: { go: 'a2' } }, a2: {} } },
            b: {},
          },
        },
        q: {},
      },
    }),
    'go',
    'go',
  ),
]

export const orderScripts: readonly Script[] = [...within, ...selves, ...regions]
