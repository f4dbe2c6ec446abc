# SPDX-License-Identifier: BSD-3-Clause
"""A small program of three libraries, with every kind of reference that the
tools must know, built by the compiler and the linker of the guest."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CFLAGS = ["-c", "-g", "-O2", "-ffreestanding", "-fpie", "-fno-plt",
          "-mno-direct-extern-access", "-mno-red-zone",
          "-fno-asynchronous-unwind-tables", "-fno-stack-protector",
          "-fcf-protection=none", "-ftls-model=local-exec",
          "-ffunction-sections", "-fdata-sections"]
LDFLAGS = ["-nostdlib", "-no-pie", "-static", "-Wl,--no-relax",
           "-Wl,--emit-relocs", "-Wl,-z,norelro", "-Wl,--build-id=none",
           "-Wl,-z,noexecstack"]
SOURCES = {"liba/one.c": r"""
extern int b_count, b_add(int), c_table[];
extern int nowhere(void) __attribute__((weak));
extern const char *const b_names[];
int a_calls, a_other[4];
static int a_static(int x) { a_calls += x; return a_calls; }
int __attribute__((weak)) replaced(void);
int a_near(int x) { return a_static(x) + a_other[x & 3]; }
int *a_end = a_other + 4;
int (*const a_ops[])(int) = { a_static, a_near, b_add };
int a_tail(int x) { return b_add(x + c_table[x]); }
int a_weak(void) { return nowhere ? nowhere() : 7; }
int a_compare(int *p) { return p == &b_count; }
int a_switch(int x)
{
	switch (x) {
	case 0: return a_near(1);
	case 1: return b_add(1);
	case 2: return a_calls;
	case 3: return b_names[0][0];
	case 4: return a_tail(9);
	case 5: return a_weak();
	}
	return replaced() + a_ops[x & 1](x);
}
""", "liba/two.c": r"""
extern int a_near(int), a_calls, a_other[];
int a_two(int x) { return a_near(x) + a_calls; }
int a_jump(int x) { return a_near(x + 1); }
int *a_address(void) { return &a_other[2]; }
""", "libb/one.c": r"""
int b_count = 5;
static char b_buffer[300];
const char *const b_names[] = { "first", "second", b_buffer };
static _Thread_local int b_mine = 3, b_zero, *b_where = &b_count;
int b_add(int x) { b_count += x; return b_buffer[x & 255]; }
int b_own(int x) { b_zero += x; return *b_where + ++b_mine; }
int replaced(void) { return 2; }
int __attribute__((cold)) b_cold(void) { return b_add(1); }
""", "libb/default.c": r"""
int __attribute__((weak)) replaced(void) { return 1; }
""", "libc/one.S": r"""
	.macro may_fault
9999:	movb (%rdi), %al
	.pushsection .uk_extable, "aw", @progbits
	.balign 8
	.quad 9999b, c_faulted
	.popsection
	.endm

	.text
	.globl c_start
c_start:
	call c_local
	call *a_switch@GOTPCREL(%rip)
	pushq b_count@GOTPCREL(%rip)
	addq a_calls@GOTPCREL(%rip), %rax
	movq c_table@GOTPCREL(%rip), %rcx
	leaq c_table(%rip), %rdx
	jmp *b_add@GOTPCREL(%rip)
c_local:
	may_fault
	ret
c_faulted:
	ret
	.section .text.c_second, "ax", @progbits
	.globl c_second
c_second:
	may_fault
	may_fault
	call c_start
	jmp c_local
	.section .text.c_aligned, "ax", @progbits
	.balign 64
	.globl c_aligned
c_aligned:
	jmp c_second
	.section .rodata.c_table, "a", @progbits
	.balign 8
	.globl c_table
c_table:
	.long c_start - c_table
	.long c_second - c_table
	.section .note.GNU-stack, "", @progbits
""", "libc/own.S": r"""
	.text
c_own:
	pushq c_own@GOTPCREL(%rip)
	.section .note.GNU-stack, "", @progbits
""", "libc/own_too.S": r"""
	.text
c_own:
	pushq c_own@GOTPCREL(%rip)
	.section .note.GNU-stack, "", @progbits
"""}


def write(folder, sources):
    """Writes sources; returns their paths."""
    paths = []
    for name, text in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths


def compile_all(folder, sources):
    """Objects by library."""
    libraries = {}
    for path in write(folder, sources):
        made = path.with_suffix(".o")
        subprocess.run(["gcc", *CFLAGS, "-o", made, path], check=True,
                       cwd=folder)
        libraries.setdefault(path.parent.name, []).append(str(made))
    return libraries


def tool(name, *args):
    """Runs one of the tools; (status, what it says)."""
    run = subprocess.run([sys.executable, HERE / name, *map(str, args)],
                         check=False, text=True, capture_output=True)
    return run.returncode, (run.stdout + run.stderr).strip()


def layout(folder, libraries, *options):
    """Writes the linker script."""
    words = [word for name, made in libraries.items()
             for word in (name, *made, "--")]
    (folder / "objects").write_text("\n".join(words))
    return tool("layout.py", "--entry", "c_start", *options,
                folder / "objects", folder / "script.lds")


def link(folder, libraries, flags=()):
    """Links, with the script, to image.debug."""
    made = [path for paths in libraries.values() for path in paths]
    subprocess.run(["gcc", *LDFLAGS, *flags, f"-Wl,-T,{folder}/script.lds",
                    "-o", folder / "image.debug", *made], check=True,
                   stderr=subprocess.PIPE)


def build(folder, sources, *options):
    """From sources to image.debug and image.app; what the first tool that
    fails says, or an empty text."""
    libraries = compile_all(folder, sources)
    status, words = layout(folder, libraries, *options)
    if status:
        return words
    link(folder, libraries)
    status, words = tool("payload.py", folder / "image.debug",
                         folder / "image.app")
    return words
