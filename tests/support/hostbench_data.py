# SPDX-License-Identifier: BSD-3-Clause
"""Inputs of the real programs: each function returns the text of a file.

They take the scale of the run, 1 for half a second to three seconds of a
current processor, and always return the same text for the same scale.
"""
import itertools
import json
import random
import textwrap


def times(count, scale):
    """A number of repetitions, at least one."""
    return max(1, round(count * scale))


def python(scale):
    """Objects, strings, dictionaries, sorting, JSON, regular expressions."""
    return f"ROUNDS = {times(14, scale)}\n" + textwrap.dedent('''
        import collections, json, random, re

        class Node:
            def __init__(self, key, name):
                self.key, self.name, self.links = key, name, []

        def graph(rnd, count):
            nodes = [Node(i, "node-%05d" % (i * 7919 % count))
                     for i in range(count)]
            for node in nodes:
                node.links = [nodes[rnd.randrange(count)]
                              for _ in range(4)]
            seen, queue = set(), collections.deque([nodes[0]])
            while queue:
                node = queue.popleft()
                if node.key not in seen:
                    seen.add(node.key)
                    queue.extend(node.links)
            return len(seen)

        def words(rnd, count):
            text = " ".join("".join(rnd.choice("abcdefgh") for _ in
                            range(rnd.randrange(2, 9)))
                            for _ in range(count))
            table = collections.Counter(re.findall(r"[a-f]+", text))
            return sorted(table.items(), key=lambda kv: (-kv[1], kv[0]))[:9]

        def document(rnd, count):
            rows = [{"id": i, "tags": [str(rnd.random()) for _ in range(3)],
                     "name": "x" * rnd.randrange(40)} for i in range(count)]
            again = json.loads(json.dumps(rows))
            again.sort(key=lambda row: (len(row["name"]), row["id"]))
            return sum(row["id"] * i for i, row in enumerate(again)) % 1009

        rnd = random.Random(1)
        total = 0
        for _ in range(ROUNDS):
            total += graph(rnd, 12000) + len(words(rnd, 9000))
            total += document(rnd, 2500)
            total += sum(map(len, ("%d" % i for i in range(60000))))
        print(total)
        ''')


def sqlite(scale):
    """A database in memory: inserts, indices, joins, text, updates."""
    rows = times(140000, scale)
    return textwrap.dedent(f'''
        PRAGMA journal_mode = MEMORY;
        CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL,
            data BLOB);
        WITH RECURSIVE n(i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        INSERT INTO item SELECT i, 'name ' || (i * 7919 % 10007), i * 0.25,
            hex(i * 2654435761) || zeroblob(i % 100) FROM n;
        CREATE INDEX item_name ON item (name, price);
        CREATE TABLE stock AS SELECT name, count(*) AS c, sum(price) AS s
            FROM item GROUP BY name;
        UPDATE item SET price = price + 1, name = name || '!'
            WHERE id % 5 = 0;
        DELETE FROM item WHERE id % 7 = 0;
        SELECT a.name, a.c, b.price FROM stock a JOIN item b
            ON a.name = b.name ORDER BY b.price DESC, a.name LIMIT 5;
        SELECT count(DISTINCT substr(name, 6, 3) || upper(hex(id))),
            max(length(name)) FROM item;
        SELECT length(group_concat(name)) FROM
            (SELECT name FROM item ORDER BY data);
        SELECT sum(json_extract(json_object('a', name, 'b', price), '$.b'))
            FROM item;
        PRAGMA integrity_check;
        ''')


def perl(scale):
    """Hashes, growing strings, lists of lists, sorting, substitution."""
    return f"my $rounds = {times(400000, scale)};\n" + r'''
use strict; use warnings;
my (%h, @a); my $seed = 42;
sub rnd { $seed = ($seed * 1103515245 + 12345) % 2147483648; $seed }
for my $i (1 .. $rounds) {
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
my %by; push @{$by{length $_}}, $_ for split /,/, $text;
print scalar(keys %h), " $n ", length($text), " ", join(" ",
    map { scalar @{$by{$_}} } sort { $a <=> $b } keys %by), "\n";
'''


def lua(scale):
    """Strings in tables, closures, trees that become garbage."""
    return f"local rounds = {times(2000000, scale)}\n" + r'''
local seed = 7
local function rnd(n) seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % n end
local t, sum = {}, 0
for i = 1, rounds do
    local k = rnd(5000)
    t[k] = (t[k] or "") .. string.char(97 + rnd(26))
    if #t[k] > 40 then sum = sum + #t[k]; t[k] = nil end
end
local keys = {}
for k, v in pairs(t) do keys[#keys + 1] = string.format("%05d=%s", k, v) end
table.sort(keys)
local s = 0
for _, k in ipairs(keys) do s = (s * 31 + #k:upper():rep(3)) % 1000003 end
local function tree(d) return d == 0 and {} or {tree(d - 1), tree(d - 1)} end
local function count(n) return n[1] and 1 + count(n[1]) + count(n[2]) or 1 end
for i = 1, rounds // 50000 do sum = sum + count(tree(14)) end
print(#keys, sum, s)
'''


def c_source(scale):
    """Functions with loops, switches and structures."""
    lines = ["#include <stdio.h>", "#include <string.h>",
             "static int data[4096];"]
    for i in range(times(330, scale)):
        lines.append(f"""
struct s{i} {{ int a[{i % 7 + 1}]; char *b; struct s{i} *next; }};
int f{i}(struct s{i} *p, int n)
{{
	int sum = {i};
	for (; p; p = p->next) {{
		for (int k = 0; k < n; k++)
			sum += p->a[k % {i % 7 + 1}] * data[(sum + k) & 4095];
		switch (sum % {i % 5 + 3}) {{
		case 0: sum ^= n; break;
		case 1: sum += (int)strlen(p->b); break;
		default: printf("%d", sum -= {i % 11});
		}}
	}}
	return sum;
}}""")
    return "\n".join(lines) + "\n"


def smt(scale):
    """Queens as integers, a multiplication to invert, strings."""
    size = 8 if scale < 0.5 else 10
    lines = []
    for turn in range(times(14, scale)):
        lines.append("(push)")
        lines += [f"(declare-const q{i} Int)"
                  f"(assert (<= 0 q{i} {size - 1}))" for i in range(size)]
        for i, j in itertools.combinations(range(size), 2):
            lines.append(f"(assert (and (not (= q{i} q{j}))"
                         f" (not (= (- q{i} q{j}) {j - i}))"
                         f" (not (= (- q{j} q{i}) {j - i}))))")
        lines += [f"(assert (= q0 {turn % size}))", "(check-sat)", "(pop)"]
    lines += ["(push)",
              "(declare-const a (_ BitVec 26))"
              "(declare-const b (_ BitVec 26))",
              "(assert (= (bvmul a b) (_ bv9797699 26)))",
              "(assert (and (bvugt a (_ bv1 26)) (bvult a b)"
              " (bvult b (_ bv8192 26))))", "(check-sat)", "(pop)", "(push)",
              "(declare-const s String)",
              '(assert (str.in_re s (re.+ (re.union (str.to_re "ab")'
              ' (str.to_re "ba")))))',
              '(assert (= (str.len s) 24))(assert (str.contains s "aabb"))',
              "(check-sat)", "(pop)"]
    return "\n".join(lines) + "\n"


def records(scale):
    """JSON for jq."""
    rnd = random.Random(3)
    return "".join(json.dumps(
        {"id": i, "user": f"user{rnd.randrange(500)}",
         "tags": rnd.sample(["red", "green", "blue", "black"], 2),
         "score": rnd.randrange(1000), "text": "word " * rnd.randrange(12)})
        + "\n" for i in range(times(45000, scale)))


JQ = """\
[inputs | select(.score > 100) | {u: .user, t: (.tags | join("-")),
  w: (.text | split(" ") | length), s: .score}] | group_by(.u) |
  map({u: .[0].u, n: length, s: (map(.s) | add), w: (map(.w) | max),
       t: (map(.t) | unique)}) | sort_by(.s, .u) | .[0:20]
"""


def history(folder_count, commits, scale):
    """A stream for git fast-import: text files that change."""
    rnd = random.Random(5)
    files = {f"dir{i % folder_count}/file{i}": [] for i in range(60)}
    names = sorted(files)
    yield "reset refs/heads/main\n"
    for turn in range(times(commits, scale)):
        message = f"change {turn}\n"
        yield (f"commit refs/heads/main\ncommitter a <a@example.org> "
               f"{1700000000 + turn * 60} +0000\ndata {len(message)}\n"
               f"{message}")
        for name in rnd.sample(names, 4):
            lines = files[name]
            at = rnd.randrange(len(lines) + 1)
            lines[at:at + rnd.randrange(4)] = [
                f"line {rnd.randrange(10 ** 6)} of change {turn}"
                for _ in range(rnd.randrange(1, 9))]
            text = "\n".join(lines) + "\n"
            yield f"M 644 inline {name}\ndata {len(text)}\n{text}"
        yield "\n"
