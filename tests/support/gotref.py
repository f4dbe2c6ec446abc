# SPDX-License-Identifier: BSD-3-Clause
"""Instructions that find an address in the global offset table.

GCC and Clang write them for every symbol that another object may have, if
told so (-mno-direct-extern-access). Where the symbol turns out to be near, the
instruction can do without its slot; the forms are those of the x86-64 psABI,
B.2 (optimize GOTPCRELX relocations). `at` is the offset of the four bytes with
the distance, which are always the last of the instruction.
"""
import elf64

MOV, LEA = 0x8b, 0x8d
CALL_NEAR, JMP_NEAR, ADDR32, NOP = 0xe8, 0xe9, 0x67, 0x90
CALL_SLOT, JMP_SLOT = b"\xff\x15", b"\xff\x25"
MODRM_RIP = 5  # mod 0, r/m 5: relative to the next instruction
END = 4        # bytes from the distance to the next instruction


def form(code, at, kind):
    """"mov", "call" or "jmp", which need no slot, or None."""
    opcode = bytes(code[at - 2:at])
    if kind == elf64.R_REX_GOTPCRELX:
        rip = len(opcode) == 2 and opcode[1] & 0xc7 == MODRM_RIP
        return "mov" if rip and opcode[0] == MOV else None
    if kind == elf64.R_GOTPCRELX:
        return {CALL_SLOT: "call", JMP_SLOT: "jmp"}.get(opcode)
    return None


def relax(code, at, kind):
    """Makes the instruction one without a slot; returns where its distance
    is now, the bytes to the next instruction stay END in each form that
    jumps on."""
    what = form(code, at, kind)
    if what == "mov":
        code[at - 2] = LEA
    elif what == "call":
        code[at - 2:at] = bytes((ADDR32, CALL_NEAR))
    else:
        code[at - 2] = JMP_NEAR
        code[at + 3] = NOP
        at -= 1
    return at
