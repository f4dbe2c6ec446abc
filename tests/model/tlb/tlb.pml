/* SPDX-License-Identifier: BSD-3-Clause */
/* The generation quarantine of plat/common/tlb.c, for spin.
 *
 * A range that is unmapped may be used again when every CPU has forgotten its
 * translations: when it has flushed after it read a generation that is at
 * least that of the range's batch, when it is idle on a root without the
 * lower half, or when it is not online.
 *
 * Four processes make a CPU: its program, its interrupt handler, its NMI
 * handler (the first two stand still while a later one runs), and hw(), which
 * commits stores from the store buffer and fills TLB and paging-structure
 * cache, at any moment.
 *
 * Chosen by -D, tlb.py has the combinations:
 *	NCPU, CPU0 to CPU2	programs, names of processes, and USE_<name> for
 *				each: the others would only cost time
 *	NPAGE, PAGES0, PAGES1	pages of the one page table, bits: who unmaps
 *	IRQ, TIMER		there are interrupts; any may end an idle phase
 *	NMI			the only CPU that gets NMIs, and asks for none
 *	STARTS			the CPU whose program is starter
 *	ROUNDS			2: pages are mapped to other frames and again
 *				unmapped
 *	M_...			a mistake, or a variant
 */
#define OFFLINE		0
#define ONLINE		1
#define HALTED		2

/* Memory: one byte each */
#define GEN		0
#define PDE		1
#define PTE(v)		(2 + (v))
#define SEEN(t)		(2 + NPAGE + (t))
#define IDLE(t)		(2 + NPAGE + NCPU + (t))
#define IPI(t)		(2 + NPAGE + 2 * NCPU + (t))
#define STATE(t)	(2 + NPAGE + 3 * NCPU + (t))
#define BYTES		(2 + NPAGE + 4 * NCPU)

/* What a page table entry may hold besides 0; page v is first on frame
 * FRAME(v), then on FRAME(v) + NPAGE
 */
#define ZOMBIE		1
#define FRAME(v)	(2 + (v))
#define FRAMES		(2 + 2 * NPAGE)
#define TABLE		(1 << NPAGE)	/* bit in a batch: the page table */

#ifndef ROUNDS
#define ROUNDS		1
#endif
#ifndef PAGES1
#define PAGES1		0
#endif

byte mem[BYTES];
chan sb[NCPU] = [2] of { byte, byte };	/* store buffer: address, value */
hidden byte at, what, k;		/* for one step only */

byte seen[NCPU];	/* as the CPU itself sees it, store buffer included */
bit system[NCPU];	/* the root is that of the system, not the idle one */
bit live[NCPU];		/* may access the lower half */
bit psc[NCPU];		/* holds a pointer to the page table */
byte tlb[NCPU * NPAGE];	/* frame, 0: none */

bit iflag[NCPU], pending[NCPU], in_irq[NCPU];
bit nmi_pending[NCPU], in_nmi[NCPU];
bit asleep[NCPU];	/* in HLT */

byte open[NCPU];	/* ranges in the open batch, bits */
byte frame[NPAGE];	/* of each page, until it is reaped */
byte mapped = NPAGE;	/* entries of the table that are not 0 */
bit free[FRAMES];	/* given to another use */
bit table_free;

#define PASSED(t, g)	(mem[STATE(t)] != ONLINE || mem[SEEN(t)] >= g || \
			 mem[IDLE(t)] || (t == c && seen[t] >= g))

/* Inside of d_step; c is the CPU that acts */
inline drain() {
	do
	:: sb[c]?at, what -> mem[at] = what
	:: empty(sb[c]) -> break
	od
}

/* Nothing that a CPU holds may have got another use */
inline check(t) {
	k = 0;
	do
	:: k < NPAGE -> assert(!free[tlb[t * NPAGE + k]]); k++
	:: else -> break
	od
}

inline forget() {
	psc[c] = 0;
	k = 0;
	do
	:: k < NPAGE -> tlb[c * NPAGE + k] = 0; k++
	:: else -> break
	od;
	k = 0
}

/* MOV to CR3 and INVLPG are serialising: they drain the store buffer */
inline set_root(is_system) {
	d_step { drain(); forget(); system[c] = is_system; live[c] = is_system }
}
inline flush() {
	d_step { drain(); forget() }
}
inline invlpg(v) {
	d_step { drain(); psc[c] = 0; tlb[c * NPAGE + v] = 0 }
}
inline store_seen(g) {
	atomic { sb[c]!SEEN(c), g; seen[c] = g }
}
inline raise_seen(g) {
	d_step {
		drain();
		if
		:: mem[SEEN(c)] < g -> mem[SEEN(c)] = g
		:: else
		fi;
		seen[c] = mem[SEEN(c)]
	}
}

inline ack() {
	g = mem[GEN];
	if
	:: g != seen[c] ->
#if defined(M_SEEN_EARLY)
		raise_seen(g);
		flush()
#elif defined(M_GEN_LATE)
		flush();
		g = mem[GEN];
		raise_seen(g)
#elif defined(M_ACK_NO_MAX)
		flush();
		store_seen(g)
#else
		flush();
		raise_seen(g)
#endif
	:: else
	fi;
	g = 0
}

/* Whoever touches the table holds its lock: mapped changes in one step */
inline unmap(v) {
#ifdef M_FLUSH_FIRST
	invlpg(v);
	sb[c]!PTE(v), ZOMBIE;
#else
	sb[c]!PTE(v), ZOMBIE;
#ifdef M_IDLE_BEFORE_FLUSH
	snapshot();
#endif
#ifndef M_NO_OWN_FLUSH
	invlpg(v);
#endif
#endif
	open[c] = open[c] | (1 << v)
}

/* Which CPUs need not be waited for, read too early */
inline snapshot() {
	d_step {
		k = 0;
		do
		:: k < NCPU -> skipped[k] = mem[IDLE(k)]; k++
		:: else -> break
		od;
		k = 0
	}
}

/* A CPU may have walked a table again after it flushed the pages: then it has
 * not flushed for all of its own batch
 */
#if defined(M_TABLE_SHORTCUT) || defined(M_UNLINK_FLUSH)
#define SHORT(b)	1
#else
#define SHORT(b)	(!((b) & TABLE))
#endif

/* Closes the open batch of CPU whose, which may be another one */
inline close(whose) {
#ifdef M_IDLE_BEFORE_ADD
	snapshot();
#endif
	d_step { batch = open[whose]; open[whose] = 0 };
#ifndef M_GEN_FIRST
	d_step { drain(); mem[GEN] = mem[GEN] + 1; want = mem[GEN] };
#endif
	if
#ifdef M_DRAIN_SHORTCUT
	:: SHORT(batch) && seen[c] == want - 1 ->
#else
	:: c == whose && SHORT(batch) && seen[c] == want - 1 ->
#endif
#ifndef M_CLOSE_PLAIN
		d_step {
			drain();
			if
			:: mem[SEEN(c)] == want - 1 ->
				mem[SEEN(c)] = want;
				seen[c] = want
			:: else
			fi
		}
#else
		store_seen(want)
#endif
	:: else
	fi
}

inline send(t) {
#ifndef M_NO_IPI
	d_step { drain(); old = mem[IPI(t)]; mem[IPI(t)] = 1 };
	if
	:: !old -> pending[t] = 1
	:: else -> old = 0
	fi
#else
	skip
#endif
}

/* Very many rounds are one round here, each without progress */
inline insist(t) {
#ifdef NMI
	if
	:: t != NMI
	:: t == NMI && tries == 0 -> atomic { tries = 1; pending[t] = 1 }
#ifndef M_NO_NMI
	:: t == NMI && tries == 1 ->
		atomic {
			nmi_pending[t] = 1;
#ifdef M_ONE_NMI
			tries = 2
#endif
		}
	:: t == NMI && tries == 2
#else
	:: t == NMI && tries == 1
#endif
	fi
#else
	skip
#endif
}

inline sync() {
	do
	:: t == NCPU -> break
	:: t < NCPU && (t == c || PASSED(t, want)) -> t++
	:: t < NCPU && t != c && !PASSED(t, want) -> send(t); t++
	od;
#ifdef M_NO_WAIT
	t = NCPU;
#else
	t = 0;
#endif
	do
	:: atomic { t == NCPU -> t = 0; break }
	:: atomic { t < NCPU && (PASSED(t, want) || skipped[t]) ->
		t++; tries = 0 }
	:: t < NCPU && !PASSED(t, want) && !skipped[t] ->
accept_wait:
#ifdef M_NO_POLL
		if
		:: t == c -> ack()
		:: else
		fi;
#else
		ack();
#endif
		insist(t)
	od
}

/* The frame of page v gets another use, and the address if ROUNDS is 2. Who
 * finds the table empty takes it out; it waits in the next batch.
 */
inline reap_page(v) {
	d_step {
		free[frame[v]] = 1;
		t = 0;
		do
		:: t < NCPU ->
			if
			:: live[t] -> check(t)
			:: else
			fi;
			t++
		:: else -> break
		od;
		t = 0;
		k = 0
	};
	if
	:: ROUNDS == 2 && frame[v] == FRAME(v) ->
		frame[v] = FRAME(v) + NPAGE;
		sb[c]!PTE(v), frame[v];
		again = again | (1 << v)
	:: else ->
		sb[c]!PTE(v), 0;
		atomic { mapped--; last = (mapped == 0) };
		if
		:: last -> last = 0; unlink()
		:: else
		fi
	fi
}

inline unlink() {
	sb[c]!PDE, 0;
#ifdef M_UNLINK_FLUSH
	flush();
#endif
#ifdef M_TABLE_WITH_DATA
	reuse_table()
#else
	open[c] = open[c] | TABLE
#endif
}

/* A walk, even a speculative one, sets bits in the entries that it reads: no
 * CPU on the root of the system may hold a pointer, whether it is live or not
 */
inline reuse_table() {
	d_step {
		table_free = 1;
		k = 0;
		do
		:: k < NCPU -> assert(!(system[k] && psc[k])); k++
		:: else -> break
		od;
		k = 0
	}
}

inline reap() {
	v = 0;
	do
	:: v == NPAGE -> break
	:: v < NPAGE && (batch & (1 << v)) -> reap_page(v); v++
	:: v < NPAGE && !(batch & (1 << v)) -> v++
	od;
	v = 0;
	if
	:: batch & TABLE -> reuse_table()
	:: else
	fi;
	d_step { batch = 0; want = 0 }
}

inline finish(whose) {
	close(whose);
#ifdef M_EARLY_REUSE
	skip;
#else
	sync();
#endif
	reap()
}

inline unmap_all(pages) {
	v = 0;
	do
	:: v == NPAGE -> break
	:: v < NPAGE && (pages & (1 << v)) -> unmap(v); v++
	:: v < NPAGE && !(pages & (1 << v)) -> v++
	od;
	v = 0
}

inline idle_enter() {
	iflag[c] = 0;
#if defined(M_IDLE_KEEPS)
	live[c] = 0;
	d_step { drain(); mem[IDLE(c)] = 1 };
#elif defined(M_IDLE_ENTER_EARLY)
	d_step { drain(); mem[IDLE(c)] = 1 };
	set_root(0);
#else
	set_root(0);
	d_step { drain(); mem[IDLE(c)] = 1 };
#endif
	/* STI; HLT */
	atomic { asleep[c] = 1; iflag[c] = 1 };
end_asleep:
	!asleep[c]
}

inline idle_exit() {
#if defined(M_IDLE_KEEPS)
	d_step { drain(); mem[IDLE(c)] = 0 };
	d_step { live[c] = 1; check(c); k = 0 };
#elif defined(M_IDLE_EXIT_PLAIN)
	sb[c]!IDLE(c), 0;
	g = mem[GEN];
	set_root(1);
	store_seen(g);
#elif defined(M_IDLE_EXIT_LATE)
	g = mem[GEN];
	set_root(1);
	d_step { drain(); mem[IDLE(c)] = 0 };
	store_seen(g);
#elif defined(M_IDLE_GEN_LATE)
	d_step { drain(); mem[IDLE(c)] = 0 };
	set_root(1);
	g = mem[GEN];
	store_seen(g);
#else
	d_step { drain(); mem[IDLE(c)] = 0 };
	g = mem[GEN];
	set_root(1);
	store_seen(g);
#endif
	g = 0;
	asleep[c] = 0
}

#define RUNS	(!in_irq[c] && !in_nmi[c])

#ifdef USE_initiator
/* Unmaps, closes, waits, reaps; takes part in what others do then. Interrupts
 * are off unless there are some and the CPU has come to its end.
 */
proctype initiator(byte c) provided (RUNS)
{
	byte g, batch, want, t, v, tries, again;
	bit old, last, skipped[NCPU];

#ifdef M_GEN_FIRST
	d_step { drain(); mem[GEN] = mem[GEN] + 1; want = mem[GEN] };
#endif
	again = (c == 0 -> PAGES0 : PAGES1);
	do
	:: again -> atomic { batch = again; again = 0 }; unmap_all(batch)
	:: !again && open[c] -> finish(c)
	:: !again && !open[c] -> break
	od;
#ifdef IRQ
	iflag[c] = 1;
end_irq:
	false
#else
end_poll:
	do
	:: ack()
	od
#endif
}
#endif

#ifdef USE_closer
/* Closes its batch, there is nothing in it, and does nothing at all then */
proctype closer(byte c) provided (RUNS)
{
	byte batch, want;

	close(c);
	d_step { batch = 0; want = 0 };
end:
	false
}
#endif

#ifdef USE_unmapper
/* Unmaps its pages one by one, its open batch is there for others */
proctype unmapper(byte c) provided (RUNS)
{
	byte g, v;
	bit skipped[NCPU];

	unmap_all(PAGES0);
end:
	do
	:: ack()
	od
}
#endif

#ifdef USE_drainer
/* Takes the open batch of CPU 0, and its own one */
proctype drainer(byte c) provided (RUNS)
{
	byte g, batch, want, t, v, tries, again;
	bit old, last, skipped[NCPU];

end:
	do
	:: open[0] -> finish(0)
	:: open[c] -> finish(c)
	:: ack()
	od
}
#endif

#ifdef USE_worker
/* Computes with interrupts on, and polls at most once */
proctype worker(byte c) provided (RUNS)
{
	byte g;

	iflag[c] = 1;
	if
	:: ack()
	:: skip
	fi;
end:
	false
}
#endif

#ifdef USE_poller
/* Polls, sometimes */
proctype poller(byte c) provided (RUNS)
{
	byte g;

	iflag[c] = 1;
end:
	do
	:: ack()
	od
}
#endif

#ifdef USE_idler
/* Sleeps and wakes up */
proctype idler(byte c) provided (RUNS)
{
end:
	do
	:: idle_enter()
	od
}
#endif

#ifdef USE_stuck
/* Has interrupts off for ever, and never polls */
proctype stuck(byte c) provided (RUNS)
{
end:
	false
}
#endif

#ifdef USE_starter
/* Is offline at first. Its first root is the idle one: speculation needs no
 * access to fill a cache.
 */
proctype starter(byte c) provided (RUNS)
{
	byte g;

#ifdef M_START_LATE
	g = mem[GEN];
	set_root(1);
	d_step { drain(); mem[STATE(c)] = ONLINE };
#else
	d_step { drain(); mem[STATE(c)] = ONLINE };
	g = mem[GEN];
	set_root(1);
#endif
	store_seen(g);
	g = 0;
	iflag[c] = 1;
end:
	false
}
#endif

#ifdef USE_stopper
proctype stopper(byte c) provided (RUNS)
{
	iflag[c] = 1;
	iflag[c] = 0;
#ifdef M_STOP_EARLY
	d_step { drain(); mem[STATE(c)] = HALTED };
	set_root(0);
#else
	set_root(0);
	d_step { drain(); mem[STATE(c)] = HALTED };
#endif
end:
	false
}
#endif

proctype irq(byte c) provided (!in_nmi[c])
{
	byte g;

end:
	do
	:: atomic { pending[c] && iflag[c] ->
		pending[c] = 0; in_irq[c] = 1; iflag[c] = 0 };
		if
		:: asleep[c] -> idle_exit()
		:: else
		fi;
#if defined(M_IPI_CLEAR_LATE)
		ack();
		d_step { drain(); mem[IPI(c)] = 0 };
#elif defined(M_IPI_CLEAR_PLAIN)
		sb[c]!IPI(c), 0;
		ack();
#else
		d_step { drain(); mem[IPI(c)] = 0 };
		ack();
#endif
		atomic { in_irq[c] = 0; iflag[c] = 1 }
#ifdef TIMER
	:: atomic { asleep[c] && iflag[c] -> in_irq[c] = 1; iflag[c] = 0 };
		idle_exit();
		atomic { in_irq[c] = 0; iflag[c] = 1 }
#endif
	od
}

/* Interrupts anything, does not end an idle phase */
proctype nmi(byte c)
{
	byte g;

end:
	do
	:: atomic { nmi_pending[c] -> nmi_pending[c] = 0; in_nmi[c] = 1 };
		g = mem[GEN];
#ifdef M_NMI_SYSTEM_ROOT
		set_root(1);
#else
		flush();
#endif
#ifdef M_NMI_NO_MAX
		store_seen(g);
#else
		raise_seen(g);
#endif
		atomic { g = 0; in_nmi[c] = 0 }
	od
}

inline fill(page) {
	assert(!table_free);
	tlb[c * NPAGE + page] = mem[PTE(page)];
	assert(!live[c] || !free[mem[PTE(page)]])
}

proctype hw(byte c)
{
	byte v;

end:
	do
	:: atomic { sb[c]?at, what -> mem[at] = what; at = 0; what = 0 }
	:: d_step { system[c] && !psc[c] && mem[PDE] ->
		assert(!table_free); psc[c] = 1 }
	:: d_step { system[c] && psc[c] && !tlb[c * NPAGE] &&
		mem[PTE(0)] > ZOMBIE -> fill(0) }
#if NPAGE > 1
	:: d_step { system[c] && psc[c] && !tlb[c * NPAGE + 1] &&
		mem[PTE(1)] > ZOMBIE -> fill(1) }
#endif
	od
}

init {
	byte i;

	d_step {
		mem[PDE] = 1;
		do
		:: i < NPAGE ->
			frame[i] = FRAME(i); mem[PTE(i)] = FRAME(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < NCPU ->
			mem[STATE(i)] = ONLINE;
			system[i] = 1; live[i] = 1; i++
		:: else -> break
		od;
		i = 0;
#ifdef STARTS
		mem[STATE(STARTS)] = OFFLINE;
		live[STARTS] = 0;
#ifndef M_START_SYSTEM_ROOT
		system[STARTS] = 0
#endif
#endif
	};
	atomic {
		do
		:: i < NCPU ->
			run hw(i);
#ifdef IRQ
			run irq(i);
#endif
			i++
		:: else -> break
		od;
		i = 0;
#ifdef NMI
		run nmi(NMI);
#endif
		run CPU0(0);
		run CPU1(1);
#if NCPU > 2
		run CPU2(2)
#endif
	}
}
