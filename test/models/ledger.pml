/*
 * The ledger of cumulative limits: machines/ledger.ts, the actions that ask it (machines/action.ts), the journal and
 * the runtime that stores before it acts (src/kernel/committer.ts) and takes each message once (src/kernel/take.ts).
 *
 * Two actions want 2 each of a window of 3. Turns happen in memory and run ahead; the journal stores them
 * together; an effect starts once its turn is stored. At any moment the owner may crash, or the journal refuse what
 * it was given: memory is then what the disk holds, and in a crash nobody hears any more how an effect ended. A
 * message may be delivered again at any time. The first action may be withdrawn and proposed anew.
 *
 * Properties: what happened in the world never exceeds the limit; nothing happens without a stored reservation; the
 * stored sum is that of the stored entries; every step is one of the table below; at rest nothing is reserved any
 * more, and `settles`: a stored reservation does not stay one for ever (under weak fairness).
 *
 * By hand: spin -a -DNO_DEDUPE ledger.pml && cc -O1 -DSAFETY -DNOCLAIM -o pan pan.c && ./pan -m100000
 *          spin -t -p -DNO_DEDUPE ledger.pml           shows how it came to that
 *          spin -a ledger.pml && cc -O1 -DNFAIR=3 -o pan pan.c && ./pan -A -a -f -m100000
 * Wrong variants: GRANT_FIRST, PERSISTED_ONLY, CHECK_THEN_RECORD, RELEASE_ON_TIMEOUT, NO_DEDUPE.
 */
#define N 2
#define SAID 5          /* the most that one action says: reserve, release, reserve, inDoubt, commit or release */
#define AMOUNT 2

mtype = { none, reserved, begun, undone, committed, released, inDoubt }     /* where a key stands */
mtype = { reserve, refuse, effect, nothing, commit, release }               /* steps, with inDoubt */
mtype = { asking, executing, doubting, resting }                            /* an action's state */
mtype = { idle, running, lost, uncalled, inFlight, happened }               /* an effect, from here and in the world */

/* STEPS: reserve refuse effect nothing inDoubt commit release crash
 * What may be done about a key, and where it then stands; a crash changes nothing that is stored. `refuse` is a
 * reserve that does not fit; `nothing` is proof that nothing stands: refused by the target, undone, or found out.
 * Held against histories of the real system by ledger-paths.ts, which reads these rows. */
#define STEPS \
  ROW(none,     reserve, reserved) \
  ROW(none,     refuse,  none) \
  ROW(released, reserve, reserved) \
  ROW(released, refuse,  released) \
  ROW(reserved, effect,  begun) \
  ROW(reserved, release, released) \
  ROW(begun,    effect,  begun) \
  ROW(begun,    nothing, undone) \
  ROW(begun,    inDoubt, inDoubt) \
  ROW(begun,    commit,  committed) \
  ROW(inDoubt,  nothing, undone) \
  ROW(inDoubt,  commit,  committed) \
  ROW(undone,   inDoubt, undone) \
  ROW(undone,   release, released)
#define ROW(from, name, to) :: mem.at[k] == from && s == name -> mem.at[k] = to

/* Everything that a journal keeps. */
typedef Book {
  mtype at[N];              /* by the table; the rest is what the code keeps */
  mtype phase[N];           /* each action */
  mtype said[10];           /* its messages to the ledger, by number */
  byte sent[N];
  byte high[N];             /* the ledger's high water of each action's stream */
  mtype entry[N];
  short sum
}
Book mem, disk;
mtype call[N], world[N];
byte limit = 3, spent, faults = 2, repeats = 1;
bool dirty, again = true, isPath = true;

inline step(s) { if STEPS :: else -> isPath = false; assert(isPath) fi }
inline happen() {
  if
  :: world[k] = nothing
  :: world[k] = happened; spent = spent + AMOUNT;
     assert(spent <= limit);
     assert(disk.entry[k] == reserved || disk.entry[k] == inDoubt)
  fi
}
inline say(what) { mem.said[k * SAID + mem.sent[k]] = what; mem.sent[k]++; dirty = true }
inline copy(from, to) {
  for (i : 0 .. N - 1) {
    to.at[i] = from.at[i]; to.phase[i] = from.phase[i]; to.sent[i] = from.sent[i];
    to.high[i] = from.high[i]; to.entry[i] = from.entry[i]
  }
  for (i : 0 .. N * SAID - 1) { to.said[i] = from.said[i] }
  to.sum = from.sum; i = 0; dirty = false
}

#ifdef PERSISTED_ONLY
#define used disk.sum
#else
#define used mem.sum
#endif
#ifdef CHECK_THEN_RECORD
#define ON_RESERVE 0
#define ON_COMMIT AMOUNT
#define counts(k) (mem.entry[k] == committed)
#else
#define ON_RESERVE AMOUNT
#define ON_COMMIT 0
#define counts(k) (mem.entry[k] != none && mem.entry[k] != released)
#endif

#define isCharged (mem.entry[k] == reserved || mem.entry[k] == inDoubt)

/* One message, as `reserve` and `settle` of machines/ledger.ts take it. */
inline take(message) {
  what = message;
  if
  :: what == reserve && (mem.entry[k] == none || mem.entry[k] == released) ->
    if
    :: used + AMOUNT <= limit -> mem.entry[k] = reserved; mem.sum = mem.sum + ON_RESERVE
    :: else -> what = refuse
    fi
  :: what == commit && isCharged -> mem.entry[k] = committed; mem.sum = mem.sum + ON_COMMIT
  :: what == release && isCharged -> mem.entry[k] = released; mem.sum = mem.sum - ON_RESERVE
  :: what == inDoubt && mem.entry[k] == reserved -> mem.entry[k] = inDoubt
  :: else -> what = none
  fi;
  if :: what != none -> step(what) :: else fi;
  what = none; dirty = true
}

#define hasMail(k) (mem.high[k] < mem.sent[k])
proctype Ledger() {
  byte k; mtype what = none;
end: do
  :: atomic {
      if :: hasMail(0) -> k = 0 :: hasMail(1) -> k = 1 fi;
      mem.high[k]++; take(mem.said[k * SAID + mem.high[k] - 1])
    }
  od
}

/* An earlier message of the first action comes once more. */
proctype Redelivery() {
  byte k, n; mtype what = none;
end: do
  :: atomic {
      repeats > 0 && mem.high[0] > 0 -> repeats--; select(n : 1 .. mem.high[0]);
#ifdef NO_DEDUPE
      take(mem.said[n - 1]);
#endif
      n = 0
    }
  od
}

#ifdef GRANT_FIRST
#define mayStart mem.phase[k] == executing
#else
#define mayStart mem.phase[k] == executing && disk.phase[k] == executing
#endif
#define isAnswered mem.phase[k] == asking && mem.high[k] == mem.sent[k]

proctype Action(byte k) {
end: do
  :: atomic { isAnswered && mem.entry[k] == reserved -> mem.phase[k] = executing; step(effect); dirty = true }
  :: atomic { isAnswered && mem.entry[k] != reserved -> mem.phase[k] = resting; dirty = true }
  :: atomic { mem.phase[k] == asking && k == 0 && again -> again = false; say(release); say(reserve) }
  :: atomic { call[k] == idle && mayStart -> call[k] = running;
      world[k] = (world[k] == uncalled -> inFlight : world[k]) }
  /* Tried again with the same key: to the world it is the same effect. */
  :: atomic { mem.phase[k] == executing && call[k] == running && world[k] == inFlight -> step(effect) }
  :: atomic { mem.phase[k] == executing && call[k] == running && world[k] == happened ->
      mem.phase[k] = resting; say(commit) }
  :: atomic { mem.phase[k] == executing && call[k] == running && world[k] == nothing ->
      mem.phase[k] = resting; step(nothing); say(release) }
#ifdef RELEASE_ON_TIMEOUT
  :: atomic { mem.phase[k] == executing && call[k] != idle -> mem.phase[k] = resting; step(nothing); say(release) }
#else
  :: atomic { mem.phase[k] == executing && call[k] != idle -> mem.phase[k] = doubting; say(inDoubt) }
#endif
  /* A person finds out, once the world is at rest about it. */
  :: atomic { mem.phase[k] == doubting && world[k] == happened -> mem.phase[k] = resting; say(commit) }
  :: atomic { mem.phase[k] == doubting && world[k] != happened && world[k] != inFlight ->
      mem.phase[k] = resting; step(nothing); say(release) }
  od
}

proctype World() {
  byte k;
end: do
  :: atomic { if :: world[0] == inFlight -> k = 0 :: world[1] == inFlight -> k = 1 fi; happen() }
  od
}

/* Stored is not yet answered: a crash between the two is this process not taking its next step. */
proctype Journal() {
  byte i;
end: do
  :: atomic { dirty -> copy(mem, disk); assert(disk.sum == (counts(0) + counts(1)) * AMOUNT) }
  :: atomic { dirty && faults > 0 -> faults--; copy(disk, mem) }
  :: atomic {
      faults > 0 -> faults--; copy(disk, mem);
      for (i : 0 .. N - 1) { call[i] = (disk.phase[i] == executing -> lost : idle) }
      i = 0
    }
  od
}

proctype AtRest() {
end: timeout -> assert(disk.entry[0] != reserved && disk.entry[1] != reserved)
}

init {
  byte i, k;
  atomic {
    for (k : 0 .. N - 1) {
      mem.at[k] = none; mem.entry[k] = none; mem.phase[k] = asking; call[k] = idle; world[k] = uncalled; say(reserve)
    }
    copy(mem, disk);
    k = 0;
    run Action(0); run Action(1); run Ledger(); run Redelivery(); run World(); run Journal(); run AtRest()
  }
}

ltl settles { [] ((disk.entry[1] == reserved) -> <> (disk.entry[1] != reserved)) }
