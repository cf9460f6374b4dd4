//! This process's own terminal: its size, and raw mode that is always undone.

use std::io::{self, IsTerminal};
use std::sync::Mutex;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// How the terminal was before raw mode; here, where also a panic finds it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Rows and columns of the terminal, 24 and 80 where there is none.
pub(crate) fn size() -> (u16, u16) {
    match tcgetwinsize(io::stdin()).or_else(|_| tcgetwinsize(io::stdout())) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row, size.ws_col),
        _ => (24, 80),
    }
}

/// Raw mode, for as long as it lives: every key goes to whom the terminal is lent.
#[derive(Debug)]
pub(crate) struct Raw;

impl Raw {
    /// Enters raw mode; `None` where standard input is no terminal.
    pub(crate) fn enter() -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        *before_lock() = Some(before);
        restore_on_panic();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

fn before_lock() -> std::sync::MutexGuard<'static, Option<Termios>> {
    BEFORE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Leaves raw mode, if it was entered.
pub(crate) fn restore() {
    if let Some(before) = before_lock().take() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Where panics abort, nothing is dropped.
fn restore_on_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        usual(info);
    }));
}
