//! System-call filters that every process of a node inherits.
//!
//! A [`Filter`] answers some calls itself and lets all others through. Sources: seccomp(2), the
//! kernel's `userspace-api/seccomp_filter` page, its tables of call numbers.

use std::io;

/// Answers system calls by number instead of running them. Later answers to a call that has
/// one already count for nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    native: Vec<Rule>,
    compat: Vec<Rule>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    call: u32,
    /// Only if this argument has one of these bits.
    when: Option<(u32, u32)>,
    errno: u16,
}

/// What a call that is not let through returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 0, as if it had been done.
    Done,
    /// It is not permitted.
    Forbidden,
    /// The kernel does not know it.
    Unknown,
    /// The file system does not support it.
    Unsupported,
}

impl Answer {
    const fn errno(self) -> u16 {
        (match self {
            Self::Done => 0,
            Self::Forbidden => libc::EPERM,
            Self::Unknown => libc::ENOSYS,
            Self::Unsupported => libc::EOPNOTSUPP,
        }) as u16
    }
}

impl Filter {
    /// For all nodes: what no lab needs and a kernel is better not asked by a stranger, or what
    /// would show him something of the host (kernel log, keys, files by handle, counters).
    pub fn contain() -> Self {
        let mut filter = Self::default();
        filter.answer(&calls::KEYS, Answer::Unknown);
        filter.answer(&calls::HOST, Answer::Forbidden);
        filter.answer(&calls::RINGS, Answer::Unknown);
        filter
    }

    /// For labs with one id: changes of identity and owner are answered as done, so daemons
    /// that drop their privileges start (and keep the rights of the lab's only user).
    pub fn pretend_identities(&mut self) {
        self.answer(&calls::IDENTITY, Answer::Done);
    }

    /// For nodes that write into a folder of the host as its owner: no set-id bits and no file
    /// capabilities, which would be in force on the host as well.
    pub fn no_set_id_files(&mut self) {
        const SET_ID: u32 = 0o6000;
        self.answer(&calls::ATTRIBUTES, Answer::Unsupported);
        for (list, argument) in [(calls::MODE_SECOND, 1), (calls::MODE_THIRD, 2)] {
            self.answer_when(&list, Some((argument, SET_ID)), Answer::Forbidden);
        }
        self.answer_when(&calls::OPEN, Some((2, SET_ID)), Answer::Forbidden);
        self.answer_when(&calls::OPENAT, Some((3, SET_ID)), Answer::Forbidden);
        self.answer(&calls::OPENAT2, Answer::Unknown);
    }

    /// For all nodes, set by each itself since it takes away the means by which nodes are made:
    /// no control-group namespaces. Root of one could mount the group hierarchy, and where the
    /// host has lent a part of it to the lab's user, end or freeze his other processes.
    pub fn no_cgroup_namespaces(&mut self) {
        let flag = Some((0, libc::CLONE_NEWCGROUP.cast_unsigned()));
        self.answer_when(&calls::NAMESPACES, flag, Answer::Forbidden);
        // its flags a filter cannot see; C libraries then use clone
        self.answer(&calls::CLONE3, Answer::Unknown);
    }

    fn answer(&mut self, calls: &calls::List, answer: Answer) {
        self.answer_when(calls, None, answer);
    }

    fn answer_when(&mut self, calls: &calls::List, when: Option<(u32, u32)>, answer: Answer) {
        let errno = answer.errno();
        let rule = |call: &u32| Rule {
            call: *call,
            when,
            errno,
        };
        self.native.extend(calls.native.iter().map(rule));
        self.compat.extend(calls.compat.iter().map(rule));
    }

    /// Puts the filter on this thread and all that it will start. Needs the capability to
    /// administrate its user namespace.
    pub fn install(&self) -> io::Result<()> {
        let mut program = self.program();
        let program = libc::sock_fprog {
            len: program.len() as u16,
            filter: program.as_mut_ptr(),
        };
        // SAFETY: the program lives through the call, which copies it.
        let done = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                0,
                &raw const program,
            )
        };
        match done {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The filter as a classic BPF program over the kernel's `struct seccomp_data`.
    fn program(&self) -> Vec<libc::sock_filter> {
        let native = body(&self.native);
        let mut program = vec![
            load(ARCHITECTURE_AT),
            jump(libc::BPF_JEQ, calls::NATIVE, 1, 0),
            // the lists may be longer than a conditional jump reaches
            always(native.len() + NATIVE_PROLOGUE),
            load(NUMBER_AT),
        ];
        program.extend(only_native_numbers());
        program.extend(native);
        match calls::COMPAT {
            Some(compat) => {
                program.push(jump(libc::BPF_JEQ, compat, 1, 0));
                program.push(give(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32));
                program.push(load(NUMBER_AT));
                program.extend(body(&self.compat));
            }
            None => program.push(give(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32)),
        }
        program
    }
}

const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;
/// Instructions of [`only_native_numbers`] and the load before them.
const NATIVE_PROLOGUE: usize = 3;

/// On x86_64 calls with bit 30 are those of the x32 ABI, whose numbers would slip through the
/// lists.
fn only_native_numbers() -> [libc::sock_filter; 2] {
    [
        jump(libc::BPF_JGE, 0x4000_0000, 0, 1),
        give(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ]
}

/// With the number loaded: the rules, and all else is let through.
fn body(rules: &[Rule]) -> Vec<libc::sock_filter> {
    let mut code = Vec::new();
    for rule in rules {
        let refuse = give(libc::SECCOMP_RET_ERRNO | u32::from(rule.errno));
        match rule.when {
            None => code.extend([jump(libc::BPF_JEQ, rule.call, 0, 1), refuse]),
            Some((argument, bits)) => code.extend([
                jump(libc::BPF_JEQ, rule.call, 0, 4),
                load(ARGUMENTS_AT + 8 * argument),
                jump(libc::BPF_JSET, bits, 0, 1),
                refuse,
                load(NUMBER_AT),
            ]),
        }
    }
    code.push(give(libc::SECCOMP_RET_ALLOW));
    code
}

fn load(at: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at, 0, 0)
}

fn jump(condition: u32, value: u32, then: u8, otherwise: u8) -> libc::sock_filter {
    instruction(
        libc::BPF_JMP | condition | libc::BPF_K,
        value,
        then,
        otherwise,
    )
}

fn always(distance: usize) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JA, distance as u32, 0, 0)
}

fn give(answer: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, answer, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    let code = code as u16;
    libc::sock_filter { code, jt, jf, k }
}

/// Numbers of system calls: of the native ABI, and of the 32-bit one that the same kernel runs.
mod calls {
    /// Calls of one subject.
    pub(super) struct List {
        pub(super) native: &'static [u32],
        pub(super) compat: &'static [u32],
    }

    /// `AUDIT_ARCH_*` of `linux/audit.h`: the ELF machine, 64-bit and little-endian.
    #[cfg(target_arch = "x86_64")]
    pub(super) const NATIVE: u32 = 62 | 0xc000_0000;
    #[cfg(target_arch = "aarch64")]
    pub(super) const NATIVE: u32 = 183 | 0xc000_0000;
    /// The 32-bit ABI whose numbers are listed; others are refused altogether.
    #[cfg(target_arch = "x86_64")]
    pub(super) const COMPAT: Option<u32> = Some(3 | 0x4000_0000);
    #[cfg(target_arch = "aarch64")]
    pub(super) const COMPAT: Option<u32> = None;

    macro_rules! numbers {
        ($($name:ident)*) => { &[$(libc::$name as u32),*] };
    }

    /// i386 numbers: setuid, setgid, setreuid, setregid, setgroups, fchown, setfsuid, setfsgid,
    /// setresuid, setresgid, lchown, chown, then the same with 32-bit ids, and fchownat.
    const IDENTITY_I386: &[u32] = &[
        23, 46, 70, 71, 81, 95, 138, 139, 164, 170, 16, 182, 198, 203, 204, 206, 207, 208, 210,
        212, 213, 214, 215, 216, 298,
    ];

    #[cfg(target_arch = "x86_64")]
    pub(super) const IDENTITY: List = List {
        native: numbers!(SYS_setgroups SYS_setuid SYS_setgid SYS_setreuid SYS_setregid
            SYS_setresuid SYS_setresgid SYS_setfsuid SYS_setfsgid SYS_fchown SYS_fchownat
            SYS_chown SYS_lchown),
        compat: IDENTITY_I386,
    };
    #[cfg(target_arch = "aarch64")]
    pub(super) const IDENTITY: List = List {
        native: numbers!(SYS_setgroups SYS_setuid SYS_setgid SYS_setreuid SYS_setregid
            SYS_setresuid SYS_setresgid SYS_setfsuid SYS_setfsgid SYS_fchown SYS_fchownat),
        compat: IDENTITY_I386,
    };

    /// The kernel's key rings, which know no namespaces.
    pub(super) const KEYS: List = List {
        native: numbers!(SYS_add_key SYS_request_key SYS_keyctl),
        compat: &[286, 287, 288],
    };

    /// i386 numbers in the order of [`HOST`], which has one that i386 lacks (kexec_file_load).
    const HOST_I386: &[u32] = &[
        128, 350, 129, 283, 342, 87, 115, 103, 51, 336, 374, 131, 253, 110, 101,
    ];

    #[cfg(target_arch = "x86_64")]
    pub(super) const HOST: List = List {
        native: numbers!(SYS_init_module SYS_finit_module SYS_delete_module SYS_kexec_load
            SYS_kexec_file_load SYS_open_by_handle_at SYS_swapon SYS_swapoff SYS_syslog SYS_acct
            SYS_perf_event_open SYS_userfaultfd SYS_quotactl SYS_lookup_dcookie SYS_iopl
            SYS_ioperm),
        compat: HOST_I386,
    };
    #[cfg(target_arch = "aarch64")]
    pub(super) const HOST: List = List {
        native: numbers!(SYS_init_module SYS_finit_module SYS_delete_module SYS_kexec_load
            SYS_kexec_file_load SYS_open_by_handle_at SYS_swapon SYS_swapoff SYS_syslog SYS_acct
            SYS_perf_event_open SYS_userfaultfd SYS_quotactl SYS_lookup_dcookie),
        compat: HOST_I386,
    };

    /// io_uring: operations in it pass by every filter.
    pub(super) const RINGS: List = List {
        native: numbers!(SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register),
        compat: &[425, 426, 427],
    };

    /// setxattr, lsetxattr, fsetxattr, setxattrat (463 everywhere).
    pub(super) const ATTRIBUTES: List = List {
        native: &[
            libc::SYS_setxattr as u32,
            libc::SYS_lsetxattr as u32,
            libc::SYS_fsetxattr as u32,
            463,
        ],
        compat: &[226, 227, 228, 463],
    };

    /// Mode as the second argument: chmod, fchmod, creat, mknod.
    #[cfg(target_arch = "x86_64")]
    pub(super) const MODE_SECOND: List = List {
        native: numbers!(SYS_chmod SYS_fchmod SYS_creat SYS_mknod),
        compat: &[15, 94, 8, 14],
    };
    #[cfg(target_arch = "aarch64")]
    pub(super) const MODE_SECOND: List = List {
        native: numbers!(SYS_fchmod),
        compat: &[],
    };

    /// Mode as the third argument: fchmodat, fchmodat2 (452 everywhere), mknodat.
    pub(super) const MODE_THIRD: List = List {
        native: &[libc::SYS_fchmodat as u32, 452, libc::SYS_mknodat as u32],
        compat: &[306, 452, 297],
    };

    /// open, with the mode as the third argument.
    #[cfg(target_arch = "x86_64")]
    pub(super) const OPEN: List = List {
        native: numbers!(SYS_open),
        compat: &[5],
    };
    #[cfg(target_arch = "aarch64")]
    pub(super) const OPEN: List = List {
        native: &[],
        compat: &[],
    };

    /// openat, with the mode as the fourth argument.
    pub(super) const OPENAT: List = List {
        native: numbers!(SYS_openat),
        compat: &[295],
    };

    /// clone and unshare, with flags as the first argument.
    pub(super) const NAMESPACES: List = List {
        native: numbers!(SYS_clone SYS_unshare),
        compat: &[120, 310],
    };

    /// clone3.
    pub(super) const CLONE3: List = List {
        native: numbers!(SYS_clone3),
        compat: &[435],
    };

    /// openat2, whose mode a filter cannot see.
    pub(super) const OPENAT2: List = List {
        native: numbers!(SYS_openat2),
        compat: &[437],
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Namespaces, clone};

    /// Runs the filter's program on one call, as the kernel would.
    fn answer(filter: &Filter, architecture: u32, call: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(call.to_ne_bytes());
        data.extend(architecture.to_ne_bytes());
        data.extend(0_u64.to_ne_bytes());
        for argument in arguments {
            data.extend(argument.to_ne_bytes());
        }
        let program = filter.program();
        let (mut at, mut value) = (0, 0);
        loop {
            let i = program[at];
            at += 1;
            let code = u32::from(i.code);
            let branch = |yes: bool| usize::from(if yes { i.jt } else { i.jf });
            match code & 0x07 {
                libc::BPF_LD => {
                    let from = i.k as usize;
                    value = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
                }
                libc::BPF_RET => return i.k,
                _ => {
                    at += match code & 0xf0 {
                        libc::BPF_JEQ => branch(value == i.k),
                        libc::BPF_JGE => branch(value >= i.k),
                        libc::BPF_JSET => branch(value & i.k != 0),
                        _ => i.k as usize,
                    }
                }
            }
        }
    }

    const NONE: [u64; 6] = [0; 6];
    const REFUSED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

    #[test]
    fn answers_by_number_and_abi() {
        let mut filter = Filter::contain();
        let native = |f: &Filter, call: libc::c_long| answer(f, calls::NATIVE, call as u32, NONE);
        assert_eq!(native(&filter, libc::SYS_keyctl), UNKNOWN);
        assert_eq!(native(&filter, libc::SYS_syslog), REFUSED);
        assert_eq!(native(&filter, libc::SYS_setuid), libc::SECCOMP_RET_ALLOW);
        filter.pretend_identities();
        assert_eq!(native(&filter, libc::SYS_setuid), libc::SECCOMP_RET_ERRNO);
        assert_eq!(native(&filter, libc::SYS_read), libc::SECCOMP_RET_ALLOW);
        assert_eq!(answer(&filter, 0x1234, 0, NONE), UNKNOWN);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn answers_the_32_bit_abi() {
        let mut filter = Filter::contain();
        filter.pretend_identities();
        let i386 = calls::COMPAT.unwrap();
        assert_eq!(answer(&filter, i386, 213, NONE), libc::SECCOMP_RET_ERRNO);
        assert_eq!(answer(&filter, i386, 288, NONE), UNKNOWN);
        assert_eq!(answer(&filter, i386, 3, NONE), libc::SECCOMP_RET_ALLOW);
        let x32 = 0x4000_0000 | libc::SYS_setuid as u32;
        assert_eq!(answer(&filter, calls::NATIVE, x32, NONE), UNKNOWN);
    }

    #[test]
    fn looks_at_modes() {
        let mut filter = Filter::contain();
        filter.no_set_id_files();
        let open = |flags_mode: (u64, u64)| {
            let arguments = [0, 0, flags_mode.0, flags_mode.1, 0, 0];
            answer(&filter, calls::NATIVE, libc::SYS_openat as u32, arguments)
        };
        assert_eq!(open((0o100, 0o644)), libc::SECCOMP_RET_ALLOW);
        assert_eq!(open((0o100, 0o4755)), REFUSED);
        let arguments = [0, 0, 0o2755, 0, 0, 0];
        let call = libc::SYS_fchmodat as u32;
        assert_eq!(answer(&filter, calls::NATIVE, call, arguments), REFUSED);
        let call = libc::SYS_openat2 as u32;
        assert_eq!(answer(&filter, calls::NATIVE, call, NONE), UNKNOWN);
        // what comes after a rule on an argument still sees the call's number
        let call = libc::SYS_read as u32;
        assert_eq!(
            answer(&filter, calls::NATIVE, call, NONE),
            libc::SECCOMP_RET_ALLOW
        );
    }

    #[test]
    fn looks_at_namespaces() {
        let mut filter = Filter::default();
        filter.no_cgroup_namespaces();
        let unshare = |flags: libc::c_int| {
            let call = libc::SYS_unshare as u32;
            answer(&filter, calls::NATIVE, call, [flags as u64, 0, 0, 0, 0, 0])
        };
        assert_eq!(unshare(libc::CLONE_NEWNET), libc::SECCOMP_RET_ALLOW);
        assert_eq!(unshare(libc::CLONE_NEWNET | libc::CLONE_NEWCGROUP), REFUSED);
    }

    #[test]
    fn the_kernel_takes_it() {
        let child = clone(Namespaces::NONE, || {
            let mut filter = Filter::contain();
            filter.pretend_identities();
            filter.no_set_id_files();
            // SAFETY: plain numbers; what an ordinary user needs to set a filter.
            unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
            if filter.install().is_err() {
                return 1;
            }
            // SAFETY: plain numbers.
            let faked = unsafe { libc::setuid(12345) };
            // SAFETY: no arguments.
            let uid = unsafe { libc::getuid() };
            // SAFETY: plain numbers.
            let keys = unsafe { libc::syscall(libc::SYS_keyctl, 0, 0, 0, 0, 0) };
            i32::from(faked != 0 || uid == 12345 || keys != -1) * 2
        });
        assert_eq!(child.unwrap().wait().unwrap(), 0);
    }
}
