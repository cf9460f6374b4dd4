//! What is left of a lab that ended, however it ended: nothing.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::host::{Host, child_of, kill_9, until};
use crate::{PAIR, for_everyone};

/// What the kernel may take to end a killed lab.
const SOON: Duration = Duration::from_secs(2);

for_everyone!(
    down_leaves_nothing,
    kills_at_random_moments_leave_nothing,
    many_cycles_leak_nothing,
);

fn down_leaves_nothing(host: &Host) {
    host.lab("lab", PAIR);
    host.up("lab");
    assert!(!host.remains().is_empty(), "a running lab is seen");
    assert_eq!(host.sh("lab", "a", "echo hello"), "hello\n");
    host.sh("lab", "a", "setsid sleep 1000 </dev/null >/dev/null 2>&1 &");
    host.run(&["down"]);
    host.wait_clean(SOON);
}

/// Xorshift: the same moments in every run.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn kills_at_random_moments_leave_nothing(host: &Host) {
    let slow = PAIR.replace("10.9.0.1/24}", "10.9.0.1/24}, startup: [sleep 0.2]");
    host.lab("lab", &slow);
    let mut moments = Moments(0x7e1a10);
    for round in 0..20 {
        let mut up = host
            .telaio(&["up"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let at = Instant::now() + Duration::from_millis(moments.below(350));
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        let broker = host.broker("lab");
        let victim = match round % 3 {
            0 => Some(up.id().cast_signed()),
            1 => broker,
            _ => broker.and_then(child_of),
        };
        if let Some(pid) = victim {
            kill_9(pid);
        }
        if round % 3 == 1 {
            // whoever looks next puts a dead broker's folder away
            assert!(until(SOON, || {
                host.run(&["ls"]);
                host.remains().is_empty() || victim.is_none()
            }));
        }
        let _ = up.wait().unwrap();
        let living = host
            .broker("lab")
            .is_some_and(|b| host.processes().contains(&b));
        if living && (victim.is_none() || round % 3 == 0) {
            // it was up before its end came, or ends by itself just now
            host.output(&["down", "--now"]);
        }
        let left = until(SOON, || host.remains().is_empty());
        assert!(left, "round {round}, {victim:?}: {:#?}", host.remains());
    }
    host.up("lab");
    assert_eq!(host.sh("lab", "b", "echo again"), "again\n");
    host.run(&["down"]);
    host.wait_clean(SOON);
}

fn many_cycles_leak_nothing(host: &Host) {
    let cycles = std::env::var("TELAIO_TEST_CYCLES").ok();
    let cycles: u64 = cycles.and_then(|c| c.parse().ok()).unwrap_or(20);
    host.lab("lab", PAIR);
    let before = namespaces();
    for _ in 0..cycles {
        host.up("lab");
        host.run(&["down", "--now"]);
        host.wait_clean(SOON);
    }
    // three a lab; what other labs of this host come and go with is far less
    let most = before.map(|b| b + cycles);
    let mut now = None;
    let clean = until(Duration::from_secs(30), || {
        now = namespaces();
        now <= most
    });
    assert!(
        clean,
        "network namespaces: {before:?} before, {now:?} after"
    );
}

/// Network namespaces in the kernel, where it tells.
fn namespaces() -> Option<u64> {
    let text = fs::read_to_string("/proc/slabinfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("net_namespace "))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
