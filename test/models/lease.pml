/*
 * An actor's ownership moves between two nodes by a lease. Stands for the epoch of a journal session
 * (src/kernel/ports/journal.ts, J6), raised at every opening and checked at every commit, and for leases per partition
 * where nodes share a journal.
 *
 * A node takes the free lease, opens the store, loads, then writes and acts on the world as long as it believes that
 * it is the owner. A lease may expire at any moment, and its owner learns of it late: a pause of any length (a GC
 * stall, a suspended machine) is a node that does not take its next step. What a zombie wrote or asked of the world
 * may arrive when its successor is long at work, and each request carries its owner's epoch.
 *
 * Properties: no write is accepted from an owner older than the newest that has opened or written; no effect of an
 * older owner happens after one of a newer owner. What an old owner asked may still happen before that.
 * `me` counts who came after whom, and no code may look at it: the code has epochs.
 *
 * By hand: spin -a -DNO_FENCE lease.pml && cc -O1 -DSAFETY -o pan pan.c && ./pan -m100000
 *          spin -t -p -DNO_FENCE lease.pml            shows how it came to that
 * Wrong variants: NO_FENCE, FENCE_AT_EFFECT_MISSING, EPOCH_NOT_RAISED.
 */
#define NODES 2
#define OWNERS 4        /* so often is the lease taken */
#define NOBODY NODES

byte holder = NOBODY, epoch, owners;            /* the lease */
byte fence, newestWriter;                       /* the store, and the newest owner it has heard */
byte effectFence, newestActor;                  /* the target of effects, and the newest owner it has heard */

/* On their way, with the epoch and the owner they come from. */
chan writes = [2] of { byte, byte };
chan effects = [2] of { byte, byte };

#ifdef NO_FENCE
#define mayWrite(e) true
#else
#define mayWrite(e) (e >= fence)
#endif
#ifdef FENCE_AT_EFFECT_MISSING
#define mayAct(e) true
#else
#define mayAct(e) (e >= effectFence)
#endif
#ifdef EPOCH_NOT_RAISED
#define RAISE (epoch == 0)
#else
#define RAISE 1
#endif

active [NODES] proctype Node() {
  byte mine, me;
end: do
  :: atomic { holder == NOBODY && owners < OWNERS ->
      owners++; epoch = epoch + RAISE; holder = _pid; mine = epoch; me = owners
    }
    /* Opening raises the store's fence; whoever comes too late for that is no owner. */
    atomic {
      if
      :: mayWrite(mine) ->
        assert(me >= newestWriter);
        fence = mine; newestWriter = me
      :: else -> mine = 0
      fi
    }
    do
    :: mine > 0 && nfull(writes) -> writes ! mine, me
    :: mine > 0 && nfull(effects) -> effects ! mine, me
    :: mine > 0 && holder != _pid -> mine = 0   /* it looks at its lease at last */
    :: mine == 0 -> me = 0; break
    od
  od
}

active proctype Lease() {
end: do
  :: atomic { holder != NOBODY -> holder = NOBODY }
  od
}

active proctype Store() {
  byte e, me;
end: do
  :: atomic {
      writes ? e, me ->
      if
      :: mayWrite(e) -> assert(me >= newestWriter); newestWriter = me; fence = e
      :: else
      fi;
      e = 0; me = 0
    }
  od
}

active proctype Target() {
  byte e, me;
end: do
  :: atomic {
      effects ? e, me ->
      if
      :: mayAct(e) -> assert(me >= newestActor); newestActor = me; effectFence = e
      :: else
      fi;
      e = 0; me = 0
    }
  od
}
