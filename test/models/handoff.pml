/*
 * A message between two journaled actors. Stands for the outbox and the disposal of what was taken
 * (src/kernel/pending-commit.ts, src/embedded/sqlite-outbox.ts), the numbers of a stream and the receiver's high water
 * (src/kernel/take.ts), and what a fresh owner sends again (src/kernel/boot.ts).
 *
 * The sender makes items in turns, stores them with its outbox, and sends what is stored, again and again, until a
 * receipt for it is stored. The receiver does each in a turn, stores what it did with its high water, and only then
 * gives a receipt. The wire loses, repeats and overtakes; sender and receiver crash, and are then what they stored.
 * In one process the wire is a mailbox and the receipt part of the receiver's commit: this is the harder case, that of
 * two nodes.
 *
 * Properties: no item is done twice, nor before the one before it; at rest every item is done; `arrives`: what is
 * stored in the outbox is done at last (under weak fairness).
 *
 * By hand: spin -a -DNO_HIGH_WATER handoff.pml && cc -O1 -DSAFETY -DNOCLAIM -o pan pan.c && ./pan -m100000
 *          spin -t -p -DNO_HIGH_WATER handoff.pml     shows how it came to that
 *          spin -a handoff.pml && cc -O1 -DNFAIR=3 -o pan pan.c && ./pan -A -a -f -m100000
 * FIRST_TAKES_ANY is what src/kernel/take.ts does (earlier messages may be dead letters). It holds while a wire keeps
 * its order and dies with both ends, as a mailbox does, and is wrong between two nodes.
 * Wrong variants: RECEIPT_BEFORE_STORE, FORGET_ON_SEND, NO_HIGH_WATER, ID_CHANGES_AT_RESTART, FIRST_TAKES_ANY.
 */
#define ITEMS 3
#define WIRE 2

typedef Outbox { byte made, receipted }         /* it holds the items between these two */
typedef Work { byte high; bool done[4] }        /* items count from 1 */

Outbox sender, senderDisk;
Work receiver, receiverDisk;
byte shift;                                     /* the number of an item is the item, plus this */
byte cursor;                                    /* the item sent last */
bool owesReceipt;
byte losses = 1, repeats = 1, senderCrashes = 1, receiverCrashes = 1;

chan wire = [WIRE] of { byte, byte };           /* number, item */
chan receipts = [WIRE] of { byte };             /* everything up to this number is stored */

#ifdef NO_HIGH_WATER
#define isNext(n) true
#else
#ifdef FIRST_TAKES_ANY
#define isNext(n) (n == receiver.high + 1 || receiver.high == 0)
#else
#define isNext(n) (n == receiver.high + 1)
#endif
#endif
#ifdef RECEIPT_BEFORE_STORE
#define receiptable receiver.high
#else
#define receiptable receiverDisk.high
#endif

active proctype Sender() {
  byte n;
end: do
  :: sender.made < ITEMS -> sender.made++
  :: atomic { receipts ? n ->
      if
      :: n > sender.receipted + shift -> sender.receipted = n - shift
      :: else
      fi;
      n = 0
    }
  od
}

active proctype SenderJournal() {
end: do
  :: atomic { sender.made != senderDisk.made || sender.receipted != senderDisk.receipted ->
      senderDisk.made = sender.made; senderDisk.receipted = sender.receipted }
  :: atomic { senderCrashes > 0 -> senderCrashes--;
      sender.made = senderDisk.made; sender.receipted = senderDisk.receipted; cursor = 0;
#ifdef ID_CHANGES_AT_RESTART
      shift = shift + sender.made - sender.receipted
#endif
    }
  od
}

/* Sends what is stored, from the oldest to the newest and over again. */
active proctype Sending() {
end: do
  :: atomic { nfull(wire) && senderDisk.made > sender.receipted ->
      cursor = (cursor >= senderDisk.made || cursor < sender.receipted -> sender.receipted : cursor) + 1;
      wire ! cursor + shift, cursor;
#ifdef FORGET_ON_SEND
      sender.receipted = cursor
#endif
    }
  od
}

active proctype Wire() {
  byte n, item;
end: do
  :: atomic { losses > 0 && nempty(wire) -> losses--; wire ? n, item; n = 0; item = 0 }
  :: atomic { losses > 0 && nempty(receipts) -> losses--; receipts ? n; n = 0 }
  :: atomic { repeats > 0 && nempty(wire) && nfull(wire) -> repeats--;
      wire ? <n, item>; wire ! n, item; n = 0; item = 0 }
  :: atomic { len(wire) == 2 -> wire ? n, item; wire ! n, item; n = 0; item = 0 }     /* overtakes */
  od
}

active proctype Receiver() {
  byte n, item;
end: do
  :: atomic { wire ? n, item ->
      if
      :: isNext(n) ->
        assert(!receiver.done[item]);
        assert(item == 1 || receiver.done[item - 1]);
        receiver.high = n; receiver.done[item] = true
      :: else
      fi;
      owesReceipt = true; n = 0; item = 0
    }
  :: atomic { owesReceipt && nfull(receipts) && receiptable == receiver.high ->
      owesReceipt = false;
      if :: receiptable > 0 -> receipts ! receiptable :: else fi
    }
  od
}

active proctype ReceiverJournal() {
end: do
  :: atomic { receiver.high != receiverDisk.high -> receiverDisk.high = receiver.high;
      receiverDisk.done[1] = receiver.done[1];
      receiverDisk.done[2] = receiver.done[2];
      receiverDisk.done[3] = receiver.done[3] }
  :: atomic { receiverCrashes > 0 -> receiverCrashes--; owesReceipt = false;
      receiver.high = receiverDisk.high;
      receiver.done[1] = receiverDisk.done[1];
      receiver.done[2] = receiverDisk.done[2];
      receiver.done[3] = receiverDisk.done[3] }
  od
}

active proctype AtRest() {
end: timeout -> assert(receiverDisk.done[1] && receiverDisk.done[2] && receiverDisk.done[3])
}

ltl arrives { [] ((senderDisk.made >= 1) -> <> receiverDisk.done[1]) }
