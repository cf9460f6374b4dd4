//! How frames are sent from one far end out of another one: by the redirect program where it
//! was given, else by a catch-all filter.

use sys::bpf::Target;
use sys::netlink::Request;
use sys::tc::{self, CatchAll, Place};

use crate::end::{Hook, Way};
use crate::panel::Panel;
use crate::{Error, FarEnd};

/// What this kernel was found to have for wires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// Whether the redirect program may be used.
    program: bool,
    /// The filter to use where the program is not.
    filter: Option<CatchAll>,
}

impl Panel {
    /// Whether wires are made with the redirect program; known once there is a wire.
    pub fn uses_program(&self) -> bool {
        self.means.is_some_and(|m| m.program)
    }

    /// Changes where far ends' frames go, from the one way to the other.
    pub(crate) fn switch(&mut self, list: &[(FarEnd, Way, Way)]) -> Result<(), Error> {
        let Some((any, ..)) = list.first() else {
            return Ok(());
        };
        let means = self.means(*any)?;
        let mut requests = Vec::new();
        for (far, ..) in list {
            requests.extend(self.hook(*far, means)?);
        }
        let mut stores = Vec::new();
        for (far, old, new) in list {
            match self.end(*far)?.hook {
                Hook::Filters(place) => {
                    let (place, filters) = filters(means, *far, place, *old, *new)?;
                    requests.extend(filters);
                    self.end_mut(*far)?.hook = Hook::Filters(place);
                }
                Hook::Program | Hook::None => stores.push((*far, *new)),
            }
        }
        self.socket.run(&requests)?;
        stores
            .into_iter()
            .try_for_each(|(far, way)| self.store(far, way))
    }

    /// What this kernel has for wires; tried once, at a far end of any kind.
    fn means(&mut self, far: FarEnd) -> Result<Means, Error> {
        if let Some(means) = self.means {
            return Ok(means);
        }
        let bare = self.end(far)?.hook == Hook::None;
        if bare {
            self.socket.run(&[tc::hook(far.0)])?;
        }
        let filter = CatchAll::find(&mut self.socket, far.0)?;
        let program = match &self.redirect {
            Some(redirect) => {
                let attach = tc::run_program(far.0, Place::First, redirect.program());
                self.socket.run(&[attach])
            }
            None => Ok(()),
        };
        if let Err(e) = &program {
            tracing::info!("wires do without the redirect program: {e}");
        }
        if bare {
            self.socket.run(&[tc::unhook(far.0)])?;
        }
        let means = Means {
            program: self.redirect.is_some() && program.is_ok(),
            filter,
        };
        tracing::debug!(?means, "wires");
        self.means = Some(means);
        Ok(means)
    }

    /// Attaches the program, or a place for filters, to a far end that has neither.
    fn hook(&mut self, far: FarEnd, means: Means) -> Result<Vec<Request>, Error> {
        if self.end(far)?.hook != Hook::None {
            return Ok(Vec::new());
        }
        let redirect = self
            .redirect
            .as_ref()
            .filter(|r| means.program && r.covers(far.0));
        let mut requests = vec![tc::hook(far.0)];
        let hook = match redirect {
            Some(redirect) => {
                requests.push(tc::run_program(far.0, Place::First, redirect.program()));
                Hook::Program
            }
            None => Hook::Filters(Place::First),
        };
        self.end_mut(far)?.hook = hook;
        Ok(requests)
    }

    /// Writes a far end's way into the program's table.
    fn store(&self, far: FarEnd, way: Way) -> Result<(), Error> {
        let target = match way {
            Way::To(other) => Some(Target {
                index: other.0,
                mac: self.end(other)?.mac,
            }),
            Way::Silent | Way::Hub(_) => None,
        };
        if let Some(redirect) = &self.redirect {
            redirect.wire(far.0, target);
        }
        Ok(())
    }
}

/// What changes a far end's way from one to the other, and the place that it uses then.
fn filters(
    means: Means,
    far: FarEnd,
    place: Place,
    old: Way,
    new: Way,
) -> Result<(Place, Vec<Request>), Error> {
    let kind = means.filter.ok_or(Error::NoRedirect)?;
    let other = place.other();
    Ok(match (old, new) {
        (Way::To(_), Way::To(to)) => {
            let add = tc::redirect(kind, far.0, other, to.0);
            (other, vec![add, tc::cut(far.0, place)])
        }
        (_, Way::To(to)) => (place, vec![tc::redirect(kind, far.0, place, to.0)]),
        (Way::To(_), _) => (place, vec![tc::cut(far.0, place)]),
        _ => (place, Vec::new()),
    })
}
