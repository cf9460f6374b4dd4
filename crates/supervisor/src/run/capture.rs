//! Clients' captures. The process that records them is there only while there are any.

use std::os::fd::{AsFd, OwnedFd};

use panel::capture::{self, Capturer, Event, Interface, Target};
use plan::{Member, SegmentPlan};

use super::client::Doing;
use super::{CAPTURE, Supervisor};
use crate::proto::Reply;

/// The capture process, while there is one.
#[derive(Default)]
pub(super) struct Captures {
    capturer: Option<Capturer>,
}

impl Captures {
    /// A client has gone: its capture ends.
    pub(super) fn stop(&mut self, id: u64) {
        if let Some(capturer) = &mut self.capturer {
            // a process that does not listen any more has ended its captures itself
            let _ = capturer.stop(id);
        }
    }

    /// A child has ended; if it was the capture process, its captures have failed already.
    pub(super) fn ended(&mut self, pid: i32) {
        if self
            .capturer
            .as_ref()
            .is_some_and(|c| c.pid() == pid && c.is_idle())
        {
            self.capturer = None;
        }
    }
}

impl Supervisor<'_> {
    /// Begins a capture; its number is that of the connection.
    pub(super) fn capture(
        &mut self,
        number: u64,
        target: &str,
        raw: bool,
        snaplen: Option<u32>,
        fds: Vec<OwnedFd>,
    ) {
        let Some(output) = fds.into_iter().next() else {
            return self.refuse(
                number,
                "a capture needs a descriptor to write to".into(),
                None,
            );
        };
        let Some(interfaces) = self.captured(target) else {
            let help = "`telaio link` lists interfaces (`node:interface`) and segments".to_string();
            let message = format!("there is no interface or segment `{target}`");
            return self.refuse(number, message, Some(help));
        };
        let request = capture::Request {
            interfaces,
            raw,
            snaplen,
        };
        match self.start_capture(number, request, &output) {
            Ok(()) => self.set_doing(number, Doing::Capturing(number)),
            Err(e) => self.refuse(number, format!("the capture cannot begin: {e}"), None),
        }
    }

    fn start_capture(
        &mut self,
        number: u64,
        request: capture::Request,
        output: &OwnedFd,
    ) -> std::io::Result<()> {
        if self.captures.capturer.is_none() {
            let capturer = Capturer::spawn()?;
            self.poller.add(&capturer, CAPTURE)?;
            self.captures.capturer = Some(capturer);
        }
        match &mut self.captures.capturer {
            Some(capturer) => capturer.start(number, request, output.as_fd()),
            None => Ok(()),
        }
    }

    /// What to record for a target as people name it.
    fn captured(&self, target: &str) -> Option<Vec<Interface>> {
        if let Some(segment) = self.segments.get(target) {
            return Some(self.recorded(segment, Target::Segment));
        }
        let member = Member::parse(target)?;
        let segment = self.segments.values().find(|s| s.members.contains(&member));
        match segment {
            Some(segment) => Some(self.recorded(segment, Target::Member(&member))),
            None => {
                // an interface without a cable
                self.far_end(&member.node, &member.interface)?;
                let (kind, members) = (plan::WireKind::Open, vec![member.clone()]);
                let alone = SegmentPlan {
                    kind,
                    members,
                    external: Vec::new(),
                    mirror: false,
                };
                Some(self.recorded(&alone, Target::Member(&member)))
            }
        }
    }

    fn recorded(&self, segment: &SegmentPlan, target: Target<'_>) -> Vec<Interface> {
        let end = |member: &Member| {
            let index = self.far_end(&member.node, &member.interface)?.index();
            Some(capture::FarEnd {
                member: member.clone(),
                index,
            })
        };
        let ends: Vec<capture::FarEnd> = segment.members.iter().filter_map(end).collect();
        capture::interfaces(segment.kind, &ends, target)
    }

    pub(super) fn hear_captures(&mut self) {
        let Some(capturer) = &mut self.captures.capturer else {
            return;
        };
        for event in capturer.events() {
            match event {
                Event::Started { id } => self.reply_now(id, &Reply::Done),
                Event::Ended { id, .. } => self.end_capture(id),
                Event::Failed { id, message } => self.refuse(id, message, None),
            }
        }
        if let Some(capturer) = self.captures.capturer.take_if(|c| c.is_idle()) {
            // dropping it lets the process end
            let _ = self.poller.remove(&capturer);
        }
    }

    /// Nobody reads a capture any more, or its client has gone.
    fn end_capture(&mut self, id: u64) {
        self.set_doing(id, Doing::Leaving);
        self.flush(id);
    }
}
