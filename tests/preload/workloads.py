# SPDX-License-Identifier: BSD-3-Clause
"""The programs of preload/run.py and what they are given to do.

SHELL maps a name to a script of bash. It runs in an empty directory, after
prepare(); $WITH in front of a command loads the library, or does nothing in
the run that it is compared with. What the script prints is compared.
"""
import itertools
import textwrap

# Modules of Python's own test-suite, those that allocate most
PYTHON_TESTS = (
    "test_list test_dict test_set test_tuple test_bytes test_deque test_sort "
    "test_json test_re test_struct test_long test_array test_collections "
    "test_itertools test_generators test_heapq test_weakref test_queue "
    "test_string test_copy test_memoryview test_fork1 test_thread "
    "test_threading_local test_zlib test_gc").split()

SHELL = {}


def script(name, text):
    """Adds a workload."""
    SHELL[name] = textwrap.dedent(text)


# Half of the modules each, for two CPUs
for part in (0, 1):
    tests = " ".join(PYTHON_TESTS[part::2])
    script(f"python3 test-suite {part + 1}", f"""
        $WITH /usr/bin/python3 -m test -q {tests} > log 2>&1 || {{
            tail -n 50 log >&2; exit 1; }}
        grep -o 'result: SUCCESS' log
        """)

script("gcc", """
    $WITH gcc -O2 -c large.c -o large.o
    sha256sum large.o
    """)

script("g++", """
    $WITH g++ -std=c++17 -O1 -c large.cc -o large.o
    sha256sum large.o
    $WITH g++ -std=c++17 -O1 large.o -o large
    $WITH ./large
    """)

script("perl", r"""
    $WITH perl work.pl
    """)

script("sqlite3", """
    $WITH sqlite3 data.db < work.sql
    $WITH sqlite3 data.db .dump | sha256sum
    """)

script("git", """
    export GIT_AUTHOR_DATE='1700000000 +0000'
    export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
    git config --global user.name test
    git config --global user.email test@example.org
    git config --global init.defaultBranch main
    $WITH git init -q repo
    cd repo
    for i in $(seq 60); do
        seq "$i" $((i * 37)) > "file$((i % 9))"
        $WITH git add -A
        $WITH git commit -qm "change $i"
    done
    $WITH git branch side HEAD~20
    $WITH git checkout -q side
    seq 100 > other
    $WITH git add other
    $WITH git commit -qm other
    $WITH git merge -q -m merge main
    $WITH git log --stat --graph | sha256sum
    $WITH git blame file3 | sha256sum
    $WITH git -c pack.threads=4 repack -qadf
    $WITH git fsck --full --strict
    $WITH git clone -q . ../clone
    $WITH git -C ../clone rev-parse HEAD
    """)

script("lua", """
    $WITH lua5.4 work.lua
    """)

# redis-server is a second name of redis-check-rdb, which redis-tools brings
script("redis", """
    ln -s /usr/bin/redis-check-rdb redis-server
    $WITH ./redis-server --port 0 --unixsocket "$PWD/socket" --save '' \
        --dbfilename dump.rdb --io-threads 2 > server.log 2>&1 &
    server=$!
    trap 'kill $server 2> /dev/null || :' EXIT
    cli() { $WITH redis-cli -s "$PWD/socket" "$@"; }
    for i in $(seq 100); do
        ! cli ping > /dev/null 2>&1 || break
        sleep 0.1
    done
    $WITH redis-benchmark -s "$PWD/socket" -q -n 4000 -c 20 -P 4 -r 5000 \
        -d 200 -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset \
        > bench.log
    grep -c 'requests per second' bench.log
    cli flushall
    for i in $(seq 1 100); do
        echo "set key$i value$i"
        echo "rpush list $i"
        echo "zadd sorted $((i * 7919 % 101)) member$i"
    done | cli | sort | uniq -c
    cli sort list desc limit 0 10
    cli zrange sorted 0 -1 | sha256sum
    cli bgsave > /dev/null
    for i in $(seq 100); do
        ! cli info persistence | grep -q 'rdb_bgsave_in_progress:0' || break
        sleep 0.1
    done
    cli info persistence | grep -o 'rdb_last_bgsave_status:ok'
    cli memory doctor > /dev/null
    cli shutdown nosave || :
    status=0
    wait $server || status=$?
    trap - EXIT
    grep 'BUG' server.log >&2 && exit 1
    echo "server $status"
    """)

script("z3", """
    $WITH z3 work.smt2
    """)

script("bash pipeline", r"""
    $WITH bash -c '
        count() { sort | uniq -c | sort -k1,1nr -k2 | head -n 5; }
        for i in $(seq 40); do
            seq "$i" 3000 | sed "s/\(.\)/\1 /g" | tr " " "\n" | count
        done | gawk "{ n[\$2] += \$1 } END { for (k in n) print k, n[k] }" |
            sort
        x=
        for i in {1..20000}; do x=${x: -50}$i; a[i % 97]=$x; done
        printf "%s\n" "${a[@]}" | sha256sum
        seq 20000 | xargs -n 500 echo | wc -w
    '
    """)


def c_source():
    """A large, dull file of C."""
    lines = ["#include <stdio.h>", "#include <string.h>",
             "static int data[4096];"]
    for i in range(500):
        lines.append(f"""
struct s{i} {{ int a[{i % 7 + 1}]; char *b; struct s{i} *next; }};
int f{i}(struct s{i} *p, int n)
{{
	int sum = {i};
	while (p) {{
		for (int k = 0; k < n; k++)
			sum += p->a[k % {i % 7 + 1}] * data[(sum + k) & 4095];
		switch (sum % {i % 5 + 3}) {{
		case 0: sum ^= n; break;
		case 1: sum += (int)strlen(p->b); break;
		default: sum -= {i % 11};
		}}
		p = p->next;
	}}
	return sum;
}}""")
    return "\n".join(lines)


def cxx_source():
    """A file of C++ with many instantiations."""
    lines = ["#include <algorithm>", "#include <iostream>", "#include <map>",
             "#include <memory>", "#include <regex>", "#include <string>",
             "#include <unordered_map>", "#include <vector>"]
    for i in range(10):
        lines.append(f"""
struct t{i} {{ int a; std::string b; bool operator<(const t{i} &o) const
	{{ return b < o.b; }} }};
static long g{i}()
{{
	std::map<t{i}, std::vector<t{i}>> m;
	std::unordered_map<std::string, std::shared_ptr<t{i}>> u;
	for (int k = 0; k < 300; k++) {{
		t{i} x{{k, std::to_string(k * {i + 1})}};
		m[x].push_back(x);
		u[x.b] = std::make_shared<t{i}>(x);
	}}
	std::regex r("[0-{i % 10}]+");
	return std::count_if(u.begin(), u.end(), [&](auto &p) {{
		return std::regex_match(p.first, r); }}) + (long)m.size();
}}""")
    calls = "".join(f"\tsum += g{i}();\n" for i in range(10))
    lines.append(f"int main()\n{{\n\tlong sum = 0;\n{calls}"
                 "\tstd::cout << sum << std::endl;\n}")
    return "\n".join(lines)


PERL = r"""
use strict; use warnings;
my (%h, @a, $seed); $seed = 42;
sub rnd { $seed = ($seed * 1103515245 + 12345) % 2147483648; $seed }
for my $i (1 .. 150000) {
    my $k = "key" . (rnd() % 20000);
    $h{$k} .= chr(97 + rnd() % 26);
    push @a, [$i, $k] if $i % 3 == 0;
    delete $h{"key" . (rnd() % 20000)} if $i % 5 == 0;
}
my $n = 0;
for my $k (sort keys %h) { $n++ if $h{$k} =~ /([aeiou]{2,}|(.)\2)/; }
my $text = join ",", map { "$_->[0]:$_->[1]" } sort { $a->[1] cmp $b->[1]
    or $a->[0] <=> $b->[0] } @a;
$text =~ s/key(\d+)/<$1>/g;
print scalar(keys %h), " $n ", length($text), " ", unpack("%32C*", $text), "\n";
"""

SQL = """
PRAGMA journal_mode = WAL;
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value REAL, data BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO t SELECT i, 'name' || (i * 7919 % 10007), i * 0.5,
    zeroblob(i % 200) FROM n;
CREATE INDEX by_name ON t (name, value);
CREATE TABLE u AS SELECT name, count(*) AS c, sum(value) AS s FROM t
    GROUP BY name;
UPDATE t SET value = value + 1, data = name || name WHERE id % 3 = 0;
DELETE FROM t WHERE id % 7 = 0;
SELECT count(*), sum(value), max(name) FROM t;
SELECT a.name, a.c, b.value FROM u a JOIN t b ON a.name = b.name
    ORDER BY b.value DESC, a.name LIMIT 20;
SELECT group_concat(name) FROM (SELECT name FROM u ORDER BY s LIMIT 100);
SELECT json_group_array(json_object('n', name, 'c', c)) FROM
    (SELECT * FROM u ORDER BY name LIMIT 50);
VACUUM;
PRAGMA integrity_check;
"""

LUA = """
local seed = 7
local function rnd(n) seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % n end
local t, sum = {}, 0
for i = 1, 400000 do
    local k = rnd(5000)
    t[k] = (t[k] or "") .. string.char(97 + rnd(26))
    if #t[k] > 40 then sum = sum + #t[k]; t[k] = nil end
end
local keys = {}
for k, v in pairs(t) do keys[#keys + 1] = string.format("%05d=%s", k, v) end
table.sort(keys)
local co = coroutine.wrap(function()
    for _, k in ipairs(keys) do coroutine.yield(k:upper():rep(3)) end end)
local s = 0
for k in co do s = (s * 31 + #k + k:byte(7)) % 1000000007 end
local function tree(d) return d == 0 and {} or {tree(d - 1), tree(d - 1)} end
local function count(n) return n[1] and 1 + count(n[1]) + count(n[2]) or 1 end
for d = 4, 14, 2 do sum = sum + count(tree(d)) end
print(#keys, sum, s)
"""


def smt():
    """Queens, a small multiplication to factor, and some strings."""
    size = 8
    rows = range(size)
    lines = ["(push)"]
    lines += [f"(declare-const q{i} Int)(assert (<= 0 q{i} {size - 1}))"
              for i in rows]
    for i, j in itertools.combinations(rows, 2):
        lines.append(f"(assert (and (not (= q{i} q{j}))"
                     f" (not (= (- q{i} q{j}) {j - i}))"
                     f" (not (= (- q{j} q{i}) {j - i}))))")
    lines += ["(check-sat)", "(pop)", "(push)",
              "(declare-const a (_ BitVec 28))(declare-const b (_ BitVec 28))",
              "(assert (= (bvmul a b) (_ bv9797699 28)))",
              "(assert (and (bvugt a (_ bv1 28)) (bvult a b)"
              " (bvult b (_ bv16384 28))))",
              "(check-sat)", "(pop)", "(push)",
              "(declare-const s String)",
              '(assert (str.in_re s (re.+ (re.union (str.to_re "ab")'
              ' (str.to_re "ba")))))',
              '(assert (= (str.len s) 20))(assert (str.contains s "aabb"))',
              "(check-sat)", "(pop)"]
    return "\n".join(lines)


FILES = {
    "gcc": {"large.c": c_source},
    "g++": {"large.cc": cxx_source},
    "perl": {"work.pl": lambda: PERL},
    "sqlite3": {"work.sql": lambda: SQL},
    "lua": {"work.lua": lambda: LUA},
    "z3": {"work.smt2": smt},
}


def prepare(name, folder):
    """Writes the input files of a workload."""
    for path, make in FILES.get(name, {}).items():
        (folder / path).write_text(make())
