# SPDX-License-Identifier: BSD-3-Clause
"""Linker scripts for an image in one piece, and for one in pieces.

In pieces, the names of output sections say what payload.py must know:
`.text.LIB`, `.rodata.LIB`, `.data.LIB` and so on belong to library LIB, and
`.move.N.LIB` is a function of LIB that may change places.
"""
import dataclasses

PAGE = 0x1000
TLS_ALIGN = 64
MOVE_ALIGN = 16
# Between functions: int3
CODE_FILL = "=0xcccccccc"
DISCARD = """\
	/DISCARD/ : {
		*(.comment .note.* .interp .eh_frame .eh_frame_hdr)
	}
"""
DYNAMIC = """\
	.dynamic : { *(.dynamic) } :rodata :dynamic
	.relr.dyn : { *(.relr.dyn) } :rodata
	.rela.dyn : { *(.rela.dyn .rela .rela.*) }
	.rela.plt : { *(.rela.plt .rela.iplt) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.hash : { *(.hash) }
	.gnu.hash : { *(.gnu.hash) }
"""
# Without symbols and without indirect functions all relocations are of type
# R_X86_64_RELATIVE: one empty symbol is left
ASSERTS = """\
ASSERT(SIZEOF(.rela.plt) == 0, "indirect functions")
ASSERT(SIZEOF(.dynsym) <= 24, "relocations with symbols")
"""
EXTABLE = """\
		__extable_start = .;
		KEEP(*(.uk_extable))
		__extable_end = .;
"""


@dataclasses.dataclass
class Plan:
    """Where everything goes. An order is a list of (item, gap): bytes that
    are left free behind it."""

    base: int
    entry: str
    seed: str
    orders: dict  # library -> kind -> order
    libraries: list
    functions: bool  # may move, in an image in pieces


def statements(order):
    """Input sections with the gaps behind them."""
    lines = []
    for item, gap in order:
        lines.append(f"\t\t{item.object}({item.name})")
        if gap:
            lines.append(f"\t\t. += {gap};")
    return "\n".join(lines) + "\n" if lines else ""


def seed_text(plan):
    """The seed, for the guest to print."""
    values = "".join(f" BYTE({byte})" for byte in plan.seed.encode())
    return f"\t\tukplat_build_seed = .;\n\t\t{values} BYTE(0)\n"


def tls_section(name, order, segment):
    """What the thread-local data of a thread start with; whoever makes
    threads copies it. Data that start as zeros are part of it, behind a word
    that gives the section contents and room of its own even if these are all;
    its length is a multiple of the alignment."""
    contents = f"""\
\t\timage_tls_start = .;
\t\tQUAD(0)
{order}\
\t\t. = ALIGN({TLS_ALIGN});
\t\timage_tls_end = .;
"""
    return section(name, contents if order else "", segment,
                   f"ALIGN({TLS_ALIGN}) ")


def order_of(plan, *kinds):
    """Input sections of these kinds, library after library."""
    return "".join(statements(plan.orders[library.name][kind])
                   for library in plan.libraries for kind in kinds)


def one_piece(plan):
    """A static PIE in three segments."""
    return f"""\
OUTPUT_FORMAT(elf64-x86-64)
ENTRY({plan.entry})
PHDRS {{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	dynamic PT_DYNAMIC FLAGS(4);
}}
SECTIONS {{
	. = {plan.base:#x};
	.text : {{
{order_of(plan, "text")}\
		. = ALIGN({PAGE});
	}} :text {CODE_FILL}
{DYNAMIC}\
	.rodata : {{
{seed_text(plan)}{order_of(plan, "ro")}\
	}} :rodata
	.uk_extable : ALIGN(16) {{
{EXTABLE}\
	}}
{tls_section(".tdata", order_of(plan, "tls"), "rodata")}\
	.data.rel.ro : {{
{order_of(plan, "relro")}\
	}}
	.got : {{
		*(.got .got.plt)
		. = ALIGN({PAGE});
	}}
	.data : {{
{order_of(plan, "data")}\
	}} :data
	.bss : {{
{order_of(plan, "bss")}\
		. = ALIGN({PAGE});
	}}
{DISCARD}\
}}
{ASSERTS}"""


def section(name, contents, segment, rest=""):
    """An output section; none if there is nothing to put into it."""
    if not contents:
        return ""
    return f"\t{name} : {rest}{{\n{contents}\t}} :{segment} " + \
        (CODE_FILL if segment[0] == "t" else "") + "\n"


def text_sections(plan, library, segment):
    """Code of a library: first what must stay together."""
    order = plan.orders[library.name]["text"]
    moves = [(item, gap) for item, gap in order
             if plan.functions and item.align <= MOVE_ALIGN]
    fixed = [pair for pair in order if pair not in moves]
    text = section(f".text.{library.name}", statements(fixed), segment)
    for number, pair in enumerate(moves):
        text += section(f".move.{number}.{library.name}",
                        statements([pair]) + f"\t\t. = ALIGN({MOVE_ALIGN});\n",
                        segment, f"ALIGN({MOVE_ALIGN}) ")
    return text


def library_sections(plan, library, number):
    """The segments of one library."""
    name = library.name
    orders = plan.orders[name]
    start = f"\t. = ALIGN({PAGE});\n"
    text = start + text_sections(plan, library, f"t{number}") + start
    constants = statements(orders["ro"])
    segment = f"r{number}"
    if library is plan.libraries[-1]:
        constants = seed_text(plan) + constants
        text += section(f".uk_extable.{name}", EXTABLE, segment, "ALIGN(16) ")
    slots = "\t\tQUAD(0)\n" * library.slots
    text += section(f".rodata.{name}", constants, segment)
    text += tls_section(f".tdata.{name}", statements(orders["tls"]), segment)
    text += section(f".relro.{name}", statements(orders["relro"]), segment)
    text += section(f".slots.{name}", slots, segment, "ALIGN(8) ") + start
    text += section(f".data.{name}", statements(orders["data"]),
                    f"d{number}")
    return text + section(f".bss.{name}", statements(orders["bss"]),
                          f"d{number}")


def segments_of(plan, library, number):
    """Program headers of the segments that a library has."""
    items = library.items
    last = library is plan.libraries[-1]
    wanted = (("t", 5, items["text"]),
              ("r", 4, items["ro"] or items["tls"] or items["relro"] or
               library.slots or last),
              ("d", 6, items["data"] or items["bss"]))
    return "".join(f"\t{letter}{number} PT_LOAD FLAGS({flags});\n"
                   for letter, flags, some in wanted if some)


def in_pieces(plan):
    """Three segments for each library. The linker's own offset table
    comes last: payload.py gives each library its own, and drops that."""
    numbers = list(enumerate(plan.libraries))
    headers = "".join(segments_of(plan, lib, i) for i, lib in numbers)
    body = "".join(library_sections(plan, lib, i) for i, lib in numbers)
    return f"""\
OUTPUT_FORMAT(elf64-x86-64)
ENTRY({plan.entry})
PHDRS {{
{headers}\
	got PT_LOAD FLAGS(4);
}}
SECTIONS {{
	. = {plan.base:#x};
{body}\
	. = ALIGN({PAGE});
	.got : {{ *(.got .got.plt) }} :got
{DISCARD}\
}}
"""


def script(plan, pieces):
    """The text of the linker script."""
    return in_pieces(plan) if pieces else one_piece(plan)
