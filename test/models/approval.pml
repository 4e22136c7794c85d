/*
 * One action that needs two of two approvers. Stands for the waiting action (machines/action.ts: awaitingHuman,
 * withdrawal, orphans), the approval desk (machines/approval.ts) and its judgement (machines/approval-rules.ts).
 * That a turn is stored whole and a message taken once and in order is what ledger.pml and handoff.pml are about.
 *
 * Persons sign what the desk shows; what they signed reaches the desk late, twice or never. Meanwhile the case may
 * expire, be amended (then what it asks for is another thing, with another digest and a new case), or be withdrawn,
 * also before the desk has given it a number; after a withdrawal or an expiry the same is proposed anew. Desk and
 * action hear of each other late. The process may crash between decision, effect and outcome. A case is bound to one
 * digest, so a number stands for both; the desk numbers cases in the order in which they were asked for.
 *
 * Properties: an effect happens at most once, only for what the action asks for now, only if both persons signed
 * that, only if the desk did not close it otherwise, and not after a withdrawal; once they have heard each other out,
 * the action waits for its own case, and no case is open that nobody waits for.
 *
 * By hand: spin -a -DNO_DIGEST approval.pml && cc -O1 -DSAFETY -o pan pan.c && ./pan -m100000
 *          spin -t -p -DNO_DIGEST approval.pml        shows how it came to that
 * NO_NONCE counts statements instead of the persons who signed them.
 * Wrong variants: NO_DIGEST, NO_NONCE, EXPIRY_APPROVES.
 */
#define CASES 3
#define QUORUM 2

mtype = { none, opened, approved, rejected, amended, expired, closed }      /* a case; said to the action */
mtype = { open, close }                                                     /* said to the desk */
mtype = { waiting, executing, doubting, resting, again }                    /* the action; `again`: may begin anew */

chan toDesk = [3] of { mtype, byte };
chan toAction = [3] of { mtype, byte };

/* The desk. */
mtype status[4] = none;
byte last, votes[4];
bool voted[8];                     /* by person * 4 + case */

/* The approvals that were signed, by person * 4 + case; any of them may come at any time. Who rejects or amends is
 * heard at once or, the case being closed, never. */
bool approval[8];

/* The action, and what it has asked for and given up. */
mtype phase = waiting;
byte mine, orphans, asked, givenUp;
bool started, inFlight, done;

/* Whose votes they were matters no more. */
inline settle(c, to) { status[c] = to; votes[c] = 0; voted[c] = false; voted[4 + c] = false }
inline decide(c, to) { settle(c, to); toAction ! to, c }

inline vote(p, c) {
  if
#ifdef NO_NONCE
  :: status[c] == opened ->
#else
  :: status[c] == opened && !voted[p * 4 + c] ->
#endif
    voted[p * 4 + c] = true; votes[c]++;
    if :: votes[c] >= QUORUM -> decide(c, approved) :: else fi
  :: else
  fi
}

#ifdef NO_DIGEST
#define counted last
#define isMine true
#else
#define counted c
#define isMine (c == mine)
#endif

active proctype Desk() {
  byte c, p;
end: do
  :: atomic { nfull(toAction) && toDesk ? [open, _] ->
      toDesk ? open, _; last++; status[last] = opened; toAction ! opened, last }
  :: atomic { toDesk ? [close, _] -> toDesk ? close, c;
      if :: status[c] == opened -> settle(c, closed) :: else fi; c = 0 }
  :: atomic { nfull(toAction) && last > 0 ->
      select(c : 1 .. last);
      if
      :: approval[c] -> p = 0; vote(p, counted)
      :: approval[4 + c] -> p = 1; vote(p, counted)
      :: status[c] == opened -> decide(c, rejected)
      :: status[c] == opened -> decide(c, amended)
#ifdef EXPIRY_APPROVES
      :: status[c] == opened -> decide(c, approved)
#else
      :: status[c] == opened -> decide(c, expired)
#endif
      :: else
      fi;
      c = 0; p = 0
    }
  od
}

active proctype Persons() {
  byte c;
end: do
  :: atomic { last > 0 -> select(c : 1 .. last);
      if
      :: status[c] == opened && !approval[c] -> approval[c] = true
      :: status[c] == opened && !approval[4 + c] -> approval[4 + c] = true
      :: else
      fi;
      c = 0
    }
  od
}

inline ask() { asked++; mine = 0; phase = waiting; toDesk ! open, 0 }

active proctype Action() {
  byte c;
  atomic { ask() }
end: do
  :: atomic { nfull(toDesk) && toAction ? [opened, _] -> toAction ? opened, c;
      if
      :: orphans > 0 -> orphans--; toDesk ! close, c
      :: orphans == 0 && phase == waiting -> mine = c
      :: else
      fi; c = 0 }
  :: atomic { toAction ? [approved, _] -> toAction ? approved, c;
      if :: phase == waiting && isMine -> phase = executing :: else fi; c = 0 }
  :: atomic { toAction ? [rejected, _] -> toAction ? rejected, c;
      if :: phase == waiting && c == mine -> phase = resting :: else fi; c = 0 }
  :: atomic { toAction ? [expired, _] -> toAction ? expired, c;
      if :: phase == waiting && c == mine -> phase = again :: else fi; c = 0 }
  :: atomic { nfull(toDesk) && asked < CASES && toAction ? [amended, _] -> toAction ? amended, c;
      if :: phase == waiting && c == mine -> ask() :: else fi; c = 0 }
  :: atomic { asked == CASES && toAction ? [amended, _] -> toAction ? amended, c;
      if :: phase == waiting && c == mine -> phase = resting :: else fi; c = 0 }
  :: atomic { nfull(toDesk) && phase == waiting -> phase = again; givenUp = asked;
      if :: mine > 0 -> toDesk ! close, mine :: else -> orphans++ fi; mine = 0 }
  :: atomic { nfull(toDesk) && phase == again && asked < CASES -> ask() }
  :: atomic { phase == executing && !started -> started = true; inFlight = true }
  :: atomic { phase == executing && done -> phase = resting }
  :: atomic { phase == executing -> phase = doubting }       /* a crash; a person will find out, nothing is repeated */
  od
}

active proctype World() {
end: do
  :: atomic { inFlight ->
      inFlight = false;
      assert(!done);
      assert(mine == asked);
      assert(approval[mine] && approval[4 + mine]);
      assert(status[mine] == approved);
      assert(mine > givenUp);
      done = true
    }
  od
}

#define isOpen(c) (status[c] == opened)
active proctype HeardOut() {
end: do
  :: atomic { empty(toDesk) && empty(toAction) && phase == waiting && asked > 0 ->
      assert(mine == asked && isOpen(mine)) }
  :: atomic { empty(toDesk) && empty(toAction) && phase != waiting -> assert(!isOpen(1) && !isOpen(2) && !isOpen(3)) }
  od
}
