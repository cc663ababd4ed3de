/**
 * Docker's default seccomp profile as data (facts: moby/profiles, seccomp/default.json as of 2026). What is not named here fails with EPERM.
 * Clauses hold only where their condition does: a capability of the container, the machine's architecture. Grouped by subject for the reader; order has
 * no meaning to the kernel, since no two clauses of one call contradict each other once the conditions are applied.
 */

export interface SeccompArgument {
  index: number
  value: number
  valueTwo?: number
  op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_LT' | 'SCMP_CMP_LE' | 'SCMP_CMP_GE' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ'
}

/** All that is given must hold (arches, caps: one of the arches; every one of the caps). */
export interface SeccompCondition {
  caps?: string[]
  /** Go's names: amd64, arm64, … */
  arches?: string[]
  minKernel?: string
}

export interface SeccompRule {
  names: string[]
  action: string
  errnoRet?: number
  args?: SeccompArgument[]
  includes?: SeccompCondition
  /** The rule is left out when any of these capabilities or arches is there. */
  excludes?: SeccompCondition
}

export interface SeccompProfile {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  archMap?: { architecture: string; subArchitectures: string[] | null }[]
  flags?: string[]
  listenerPath?: string
  listenerMetadata?: string
  syscalls: SeccompRule[]
}

const words = (text: string) => text.trim().split(/\s+/)

/** Harmless for every container. */
const always = words(`
  read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 open openat openat2 creat close close_range
  lseek _llseek dup dup2 dup3 pipe pipe2 fcntl fcntl64 ioctl splice tee vmsplice sendfile sendfile64 copy_file_range
  truncate truncate64 ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead sync syncfs fsync fdatasync sync_file_range cachestat
  stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2
  statmount listmount getdents getdents64 getcwd chdir fchdir umask
  mkdir mkdirat rmdir mknod mknodat link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2 name_to_handle_at
  chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat
  utime utimes utimensat utimensat_time64 futimesat
  getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat
  removexattr lremovexattr fremovexattr removexattrat flock
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  landlock_create_ruleset landlock_add_rule landlock_restrict_self

  select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
  eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
  io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

  socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

  brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal remap_file_pages
  memfd_create memfd_secret membarrier map_shadow_stack pkey_alloc pkey_free pkey_mprotect

  fork vfork execve execveat exit exit_group wait4 waitid waitpid
  kill tkill tgkill pidfd_open pidfd_send_signal process_mrelease rt_sigqueueinfo rt_tgsigqueueinfo
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
  sigaltstack sigprocmask sigreturn pause restart_syscall
  futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv get_robust_list set_robust_list rseq
  getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address get_thread_area set_thread_area
  prctl seccomp uname umask sysinfo times getcpu getrandom getrusage getrlimit setrlimit ugetrlimit prlimit64
  getpriority setpriority ioprio_get ioprio_set
  sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam sched_getscheduler sched_setscheduler
  sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 sched_yield
  riscv_hwprobe uretprobe

  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32
  setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
  setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset

  time gettimeofday nanosleep alarm getitimer setitimer adjtimex clock_adjtime clock_adjtime64
  clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64

  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_open mq_unlink mq_getsetattr mq_notify mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
`)

/** Calls that come with a capability. */
const byCapability: Record<string, string[]> = {
  CAP_DAC_READ_SEARCH: words('open_by_handle_at'),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr
    move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`),
  CAP_SYS_BOOT: words('reboot'),
  CAP_SYS_CHROOT: words('chroot'),
  CAP_SYS_MODULE: words('delete_module init_module finit_module'),
  CAP_SYS_PACCT: words('acct'),
  CAP_SYS_PTRACE: words('kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
  CAP_SYS_RAWIO: words('iopl ioperm'),
  CAP_SYS_TIME: words('settimeofday stime clock_settime clock_settime64'),
  CAP_SYS_TTY_CONFIG: words('vhangup'),
  CAP_SYS_NICE: words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
  CAP_SYSLOG: words('syslog'),
  CAP_BPF: words('bpf'),
  CAP_PERFMON: words('perf_event_open'),
}

/** Calls that only some machines have. */
const byArchitecture: [arches: string[], names: string[]][] = [
  [['ppc64le'], words('sync_file_range2 swapcontext')],
  [['arm', 'arm64'], words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls')],
  [['amd64', 'x32'], words('arch_prctl')],
  [['amd64', 'x32', 'x86'], words('modify_ldt')],
  [['s390', 's390x'], words('s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr')],
  [['riscv64'], words('riscv_flush_icache')],
]

/**
 * Socket families. AF_UNIX to AF_ROSE are one range; then single ones. Left out: DECnet, ECONET, ATMSVC, IRDA, WANPIPE, ISDN, CAIF (gone from the kernel),
 * ALG (38: kernel crypto, attack surface) and VSOCK (40: reaches the virtual machine's host).
 */
const socketFamilyBelow = 12
const socketFamilies = [13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45]

/** PER_LINUX, PER_LINUX32, UNAME26, both, and the query. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET: none of them may be set. */
const cloneNamespaceFlags = 0x7e020000
const enosys = 38
const allow = 'SCMP_ACT_ALLOW'

export const defaultSeccompProfile: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    { architecture: 'SCMP_ARCH_MIPS64', subArchitectures: ['SCMP_ARCH_MIPS', 'SCMP_ARCH_MIPS64N32'] },
    { architecture: 'SCMP_ARCH_MIPS64N32', subArchitectures: ['SCMP_ARCH_MIPS', 'SCMP_ARCH_MIPS64'] },
    { architecture: 'SCMP_ARCH_MIPSEL64', subArchitectures: ['SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64N32'] },
    { architecture: 'SCMP_ARCH_MIPSEL64N32', subArchitectures: ['SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64'] },
    { architecture: 'SCMP_ARCH_S390X', subArchitectures: ['SCMP_ARCH_S390'] },
    { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
    { architecture: 'SCMP_ARCH_LOONGARCH64', subArchitectures: null },
  ],
  syscalls: [
    { names: [...new Set(always)], action: allow },
    { names: words('process_vm_readv process_vm_writev ptrace'), action: allow, includes: { minKernel: '4.8' } },
    { names: ['socket'], action: allow, args: [{ index: 0, value: socketFamilyBelow, op: 'SCMP_CMP_LT' }] },
    ...socketFamilies.map(
      (family): SeccompRule => ({ names: ['socket'], action: allow, args: [{ index: 0, value: family, op: 'SCMP_CMP_EQ' }] }),
    ),
    ...personalities.map(
      (value): SeccompRule => ({ names: ['personality'], action: allow, args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }),
    ),
    ...byArchitecture.map(([arches, names]): SeccompRule => ({ names, action: allow, includes: { arches } })),
    ...Object.entries(byCapability).map(([cap, names]): SeccompRule => ({ names, action: allow, includes: { caps: [cap] } })),
    {
      names: ['clone'],
      action: allow,
      args: [{ index: 0, value: cloneNamespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390', 's390x'] },
    },
    {
      // s390 has clone's flags as its second argument.
      names: ['clone'],
      action: allow,
      args: [{ index: 1, value: cloneNamespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      includes: { arches: ['s390', 's390x'] },
      excludes: { caps: ['CAP_SYS_ADMIN'] },
    },
    // clone3's flags are behind a pointer; ENOSYS makes C libraries fall back to clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: enosys, excludes: { caps: ['CAP_SYS_ADMIN'] } },
  ],
}
