/* sandbox.c - see sandbox.h.
 *
 * Model files, signatures, templates and prompts come from strangers. Should one of them ever take over the process through a fault of
 * ours, it finds one without rights: no other files, no programs, no network, no signals to others, no words put into the terminal's input.
 * A kernel that lacks either part gives less, and `words` says so: that is no error, for the program needs none of it to work.
 *
 * The list of system calls is of what is forbidden, not of what is allowed: C libraries and architectures differ in what they call for the
 * same purpose, and what matters here is what reaches beyond the process.
 */
#include "sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *words = "off, as asked";
static bool entered;

const char *sandbox_words(void) { return words; }

const char *sandbox_hint(const char *path, int how) {
  char folder[4096];
  const char *slash = strrchr(path, '/');
  if (!entered || errno != EACCES) return "";
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  const bool rights = how == SANDBOX_WRITE ? access(folder, W_OK) == 0 : access(path, R_OK) == 0;
  errno = EACCES;
  return rights ? " (outside of what the sandbox leaves open; --no-sandbox switches it off)" : "";
}

#if defined(__linux__) && __has_include(<linux/landlock.h>) && __has_include(<linux/seccomp.h>)

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- files ---- */

/* Newer than some headers; the same on every architecture. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, LEAST_VERSION = 2 /* the first that lets files change folders */ };
#define REFER ((uint64_t)1 << 13)
#define TRUNCATE ((uint64_t)1 << 14)
#define SCOPE_SOCKETS_AND_SIGNALS ((uint64_t)3)
#define READING ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define WRITING                                                                                                \
  ((uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
              LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM) |       \
   REFER | TRUNCATE)
#define NEVER                                                                                                                           \
  ((uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
              LANDLOCK_ACCESS_FS_MAKE_BLOCK))
#define OF_FILES ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE) | TRUNCATE) /* the others are of folders */

static uint64_t known = READING | WRITING | NEVER; /* to this kernel */

void sandbox_open(sandbox *s) {
  struct {
    uint64_t files, network, scoped;
  } handled = {.scoped = SCOPE_SOCKETS_AND_SIGNALS};
  const long version = syscall(CREATE_RULESET, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  s->rules = -1;
  if (version < LEAST_VERSION) return;
  if (version < 3) known &= ~TRUNCATE;
  handled.files = known;
  const size_t size = version < 4 ? sizeof(uint64_t) : version < 6 ? 2 * sizeof(uint64_t) : sizeof handled;
  s->rules = (int)syscall(CREATE_RULESET, &handled, size, 0);
}

void sandbox_allow(sandbox *s, const char *path, int how) {
  struct stat info;
  struct landlock_path_beneath_attr rule = {.parent_fd = s->rules < 0 ? -1 : open(path, O_PATH | O_CLOEXEC)};
  if (rule.parent_fd < 0) return;
  rule.allowed_access = (how == SANDBOX_WRITE ? READING | WRITING : READING) & known;
  if (fstat(rule.parent_fd, &info) != 0 || !S_ISDIR(info.st_mode)) rule.allowed_access &= OF_FILES;
  syscall(ADD_RULE, s->rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0); /* refused for pipes, which need none */
  close(rule.parent_fd);
}

/* ---- system calls ---- */

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#define ARCHITECTURE 0
#endif

static const int never[] = {
    SYS_execve,
    SYS_execveat,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_open_by_handle_at,
    SYS_init_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_finit_module,
    SYS_swapon,
    SYS_personality,
    425 /* io_uring */,
    426,
    427,
    438 /* pidfd_getfd */,
#if !defined(__SANITIZE_ADDRESS__) /* whose search for leaks traces the process */
    SYS_ptrace,
#endif
};
static const int network[] = {
    SYS_socket,     SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept4,
#ifdef SYS_accept
    SYS_accept,
#endif
#ifdef SYS_socketcall
    SYS_socketcall,
#endif
};

typedef struct filter {
  struct sock_filter line[160];
  unsigned short n;
} filter;

static void add(filter *f, struct sock_filter line) { f->line[f->n++] = line; }

/* Where what was loaded is (BPF_JEQ), or is not less than (BPF_JGE), `value`, the call fails. */
static void refuse(filter *f, unsigned short test, uint32_t value) {
  add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value, 0, 1));
  add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}

static void look_at(filter *f, size_t offset) { add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset)); }

/* Input that a program pushes into its terminal is obeyed by the shell afterwards. */
static void refuse_terminal_input(filter *f) {
  const size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
  add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5));
  look_at(f, offsetof(struct seccomp_data, args[1]) + low);
  refuse(f, BPF_JEQ, TIOCSTI);
  refuse(f, BPF_JEQ, 0x541C /* TIOCLINUX */);
}

static bool restrict_calls(bool all, bool no_network) {
  filter f = {.n = 0};
  if (!ARCHITECTURE) return false;
  look_at(&f, offsetof(struct seccomp_data, arch));
  add(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
  add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  look_at(&f, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
  refuse(&f, BPF_JGE, 0x40000000); /* x32's numbers for the same calls */
#endif
  for (size_t i = 0; no_network && i < sizeof network / sizeof *network; i++) refuse(&f, BPF_JEQ, (uint32_t)network[i]);
  for (size_t i = 0; all && i < sizeof never / sizeof *never; i++) refuse(&f, BPF_JEQ, (uint32_t)never[i]);
  if (all) refuse_terminal_input(&f);
  add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const struct sock_fprog program = {.len = f.n, .filter = f.line};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

/* ---- both ---- */

void sandbox_enter(sandbox *s, bool with_network) {
  static const char *const says[] = {"none: the kernel has neither Landlock nor seccomp",
                                     "system calls (seccomp); the kernel has no Landlock", "files (Landlock); the kernel has no seccomp",
                                     "files (Landlock) and system calls (seccomp)"};
  const bool may = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  const bool files = may && s->rules >= 0 && syscall(RESTRICT_SELF, s->rules, 0) == 0;
  if (s->rules >= 0) close(s->rules);
  const bool calls = may && restrict_calls(true, !with_network);
  words = says[2 * files + calls];
  entered = files;
}

void sandbox_leave_network(void) {
  if (entered || prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER) restrict_calls(false, true);
}

#else

void sandbox_open(sandbox *s) { s->rules = -1; }
void sandbox_allow(sandbox *s, const char *path, int how) { (void)s, (void)path, (void)how; }
void sandbox_enter(sandbox *s, bool network) {
  (void)s, (void)network;
  words = "none: only on Linux";
}
void sandbox_leave_network(void) {}

#endif
